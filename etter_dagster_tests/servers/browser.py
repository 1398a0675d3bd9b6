"""A real browser, headless Chromium, driven over the WebDriver protocol."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from etter_dagster_tests.servers.shared import end_guarded, free_port, start_guarded, wait_until

_SECONDS = 120.0
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
)


class Browser:
    """One window of a browser.

    Args:
        session: The address of its WebDriver session.
    """

    def __init__(self, session: str) -> None:
        self._http = httpx.Client(base_url=f"{session}/", timeout=_SECONDS)

    def open(self, url: str) -> None:
        """Opens a page, and waits until it has loaded."""
        self._http.post("url", json={"url": url}).raise_for_status()

    def source(self) -> str:
        """The HTML of the page that it shows now."""
        answer = self._http.get("source")
        # Between a page and the next there is none.
        return str(answer.json()["value"]) if answer.is_success else ""

    def close(self) -> None:
        """Ends the browser."""
        self._http.delete("")
        self._http.close()


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own.

    Args:
        folder: The test's own.
    """
    if (driver := shutil.which("chromedriver")) is None:
        pytest.skip("no chromedriver: run make test-servers")
    port = free_port()
    home = folder / "browser"
    home.mkdir()
    guard: subprocess.Popen[bytes] = start_guarded([driver, f"--port={port}"], home)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until("chromedriver", lambda: _answers(f"{url}/status"))
        opened = Browser(f"{url}/session/{_session(url, home)}")
        try:
            yield opened
        finally:
            opened.close()
    finally:
        end_guarded(guard, signal.SIGTERM)
        shutil.rmtree(home, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def _session(url: str, home: Path) -> str:
    options = {"args": [*_OPTIONS, f"--user-data-dir={home / 'profile'}"]}
    capabilities = {"alwaysMatch": {"goog:chromeOptions": options}}
    answer = httpx.post(
        f"{url}/session", json={"capabilities": capabilities}, timeout=_SECONDS
    ).raise_for_status()
    value: dict[str, Any] = answer.json()["value"]
    return str(value["sessionId"])
