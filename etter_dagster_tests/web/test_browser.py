"""The pages in a real browser: what it lets them do, and whether everybody can read them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from etter_dagster.assessors.protocol import AssessmentFailed, AssessmentRequest
from etter_dagster.model.identity import role_id
from etter_dagster_tests.rest import Rest, push_body
from etter_dagster_tests.servers.browser import chromium
from etter_dagster_tests.servers.shared import READY_SECONDS
from etter_dagster_tests.web.test_refreshing import ROLE

LONG = "Senior Vice President of Interdepartmental Communications " * 2 + "x" * 60
# axe forbids each page that refreshes itself; ours says so, and has a link that stops it.
RULES = {"rules": {"meta-refresh": {"enabled": False}}, "resultTypes": ["violations"]}
PHONE, DESK = (360, 740), (1280, 900)


@asynccontextmanager
async def served(rest: Rest) -> AsyncIterator[str]:
    """The app on a port of its own, where a browser reaches it."""
    server = uvicorn.Server(
        uvicorn.Config(rest.app, port=0, lifespan="off", log_config=None, access_log=False)
    )
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await serving


async def roles_in_every_state(rest: Rest) -> dict[str, str]:
    """Pages by what they show."""

    def fail(request: AssessmentRequest) -> None:
        raise AssessmentFailed("the document describes no tasks")

    await rest.ready("Ready")
    await rest.ready(LONG)
    rest.assessor.on_call = fail
    await rest.push("Failed")
    await rest.work()
    rest.assessor.on_call = None
    changed = push_body("Stale")
    await rest.ready("Stale")
    changed["documents"][0]["content"] += "\n- Answer the phone\n"
    put = {"documents": changed["documents"]}
    answer = await rest.http.put("/roles/Acme/Stale", json=put)
    assert answer.status_code == 200, answer.text
    await rest.push("Queued")
    names = ("Ready", LONG, "Failed", "Stale", "Queued")
    shown = {name: f"/dashboard/Acme/roles/{role_id('Acme', name)}" for name in names}
    return {
        **shown,
        "companies": "/dashboard",
        "roles": "/dashboard/Acme",
        "a search that finds nothing": "/dashboard/Acme?q=zzz",
        "no such page": "/dashboard/Nobody",
        "the REST reference": "/docs",
    }


async def too_wide(page: Page) -> bool:
    """Whether a person must scroll sideways to read the page."""
    return bool(await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.mark.slow
async def test_a_page_turns_ready_by_itself(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy of the pages forbids scripts; a real browser says whether it lets them refresh."""
    monkeypatch.setattr("etter_dagster.web.views.REFRESH", 1)
    await rest.push()
    async with served(rest) as url, chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"{url}{ROLE}")
        await expect(page.get_by_text("In the queue")).to_be_visible()
        await rest.work()
        score = page.get_by_text("AI automation score")
        await expect(score).to_be_visible(timeout=READY_SECONDS * 1000)
        assert await page.locator('meta[http-equiv="refresh"]').count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
async def test_everybody_can_read_every_page(
    rest: Rest, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    """By axe's rules: names, order, contrast; and on a phone nobody scrolls sideways."""
    pages = await roles_in_every_state(rest)
    found: list[Any] = []
    async with served(rest) as url, chromium() as browser:
        page = await browser.new_page(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
        )
        for what, path in pages.items():
            await page.goto(f"{url}{path}")
            result = await Axe().run(page, options=RULES)
            for violation in result.response["violations"]:
                nodes = [node["html"] for node in violation["nodes"]]
                found.append((what, violation["id"], nodes[:3]))
            if await too_wide(page):
                found.append((what, "wider than the window"))
    assert found == []
