"""Asking an outside API over HTTP; the one place of `sources` that decides what a failure means.

Every failure becomes `SourceUnavailable` with its reason, and with the seconds the other side asked
for: an outage is never an empty answer. No message holds an address or a token.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from etter_dagster.model.errors import SourceUnavailable

SECONDS = 30.0  # of one request, its body included
_STEP_SECONDS = 10.0  # of a connection, or of a pause between two parts of a body
MAX_JSON_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 3
RETRY_AFTER_SECONDS = 30
REFUSED_RETRY_SECONDS = 300  # a wrong token does not mend itself within seconds
_MAX_RETRY_AFTER = 3600
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Download:
    """A file behind a link."""

    data: bytes
    content_type: str | None


class HttpStatus(SourceUnavailable):
    """The other side answered with a status that gives nothing."""

    def __init__(self, status: int, message: str, *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status


class HttpApi:
    """One outside API.

    Args:
        name: What it is, for messages: `the taxonomy API`.
        setting: The setting that names it, for remedies.
        base_url: Where it is.
        transport: Instead of the network.
        seconds: Bound of one request.
    """

    def __init__(
        self,
        name: str,
        setting: str,
        base_url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self.name = name
        self._setting = setting
        self._base = base_url.rstrip("/")
        self._transport = transport
        self._seconds = seconds
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def get(
        self, path: str, params: Mapping[str, str | int], *, token: str | None, whose: str
    ) -> dict[str, Any]:
        """The JSON object at a path.

        Args:
            path: Below the base URL.
            params: The query.
            token: Bearer token, if there is one.
            whose: Where the token comes from, for the message when it is refused.

        Raises:
            SourceUnavailable: No such answer.
        """
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        query = str(httpx.QueryParams(dict(params)))
        url = f"{self._base}{path}?{query}" if query else f"{self._base}{path}"
        response, body = self._send(url, headers, MAX_JSON_BYTES)
        self._require_ok(response, whose)
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise self.wrong("is not JSON") from None
        if not isinstance(found, dict):
            raise self.wrong("is not a JSON object")
        if str(found.get("status", "")).lower() in ("error", "failed", "failure"):
            raise SourceUnavailable(f"{self.name} answered with an error of its own; see its log")
        return found

    def download(self, url: str, limit: int) -> Download:
        """What a link gives; no token is sent there.

        Args:
            url: As the API gave it.
            limit: Bytes after which reading stops; the caller sees that there is more.

        Raises:
            SourceUnavailable: It gives nothing.
        """
        target = self._joined(self._base, url)
        response, body = self._send(str(target), {"Accept-Encoding": "identity"}, limit)
        self._require_ok(response, None)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise self.wrong("is compressed, though it was asked not to be")
        return Download(body, response.headers.get("content-type"))

    def wrong(self, what: str) -> SourceUnavailable:
        """The error for an answer that cannot be used.

        Args:
            what: What is wrong with it, to go on after "its answer".
        """
        return SourceUnavailable(f"{self.name} cannot be read: its answer {what}")

    def _send(
        self, url: str, headers: Mapping[str, str], limit: int
    ) -> tuple[httpx.Response, bytes]:
        deadline = time.monotonic() + self._seconds
        try:
            for _ in range(MAX_REDIRECTS + 1):
                with self._http().stream("GET", url, headers=dict(headers)) as response:
                    if response.status_code not in _REDIRECTS:
                        return response, self._body(response, limit, deadline)
                    url = self._followed(response)
        except httpx.TimeoutException:
            raise SourceUnavailable(f"{self.name} did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise SourceUnavailable(
                f"{self.name} cannot be reached ({type(error).__name__}); check {self._setting} "
                "and the network"
            ) from None
        raise self.wrong(f"redirects more than {MAX_REDIRECTS} times")

    def _http(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                step = min(_STEP_SECONDS, self._seconds)
                self._client = httpx.Client(timeout=step, transport=self._transport)
            return self._client

    def _body(self, response: httpx.Response, limit: int, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                break
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the body takes too long")
        return bytes(body)

    def _followed(self, response: httpx.Response) -> str:
        """Where a redirect leads, if that is on the same host."""
        here = response.request.url
        target = self._joined(str(here), response.headers.get("location", ""))
        same_origin = (target.scheme, target.host, target.port) == (
            here.scheme,
            here.host,
            here.port,
        )
        upgraded = (target.scheme, target.host) == ("https", here.host)
        if not (same_origin or upgraded):
            raise self.wrong(f"sends us to another host; check {self._setting}")
        return str(target)

    def _joined(self, base: str, url: str) -> httpx.URL:
        try:
            target = httpx.URL(base).join(url)
        except (httpx.InvalidURL, ValueError, TypeError):
            target = httpx.URL("")
        if target.scheme not in ("http", "https") or not target.host:
            raise self.wrong("holds a link that is no http(s) URL")
        return target

    def _require_ok(self, response: httpx.Response, whose: str | None) -> None:
        status = response.status_code
        if status == httpx.codes.OK:
            return
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) and whose:
            raise HttpStatus(
                status,
                f"{self.name} refuses the token ({status}); check {whose}",
                retry_after=REFUSED_RETRY_SECONDS,
            )
        raise HttpStatus(
            status,
            f"{self.name if whose else f'a link of {self.name}'} answered {status}",
            retry_after=retry_after(response.headers.get("retry-after", "")),
        )

    def close(self) -> None:
        """Closes its connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None


def retry_after(header: str, *, default: int = RETRY_AFTER_SECONDS) -> int:
    """The seconds of a `Retry-After` header: a number or a date, at most an hour.

    Args:
        header: Its value; one that cannot be read counts as none.
        default: Where there is none.
    """
    if header.isascii() and header.isdigit():
        return min(int(header), _MAX_RETRY_AFTER)
    try:
        when = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return default
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    seconds = (when - datetime.now(timezone.utc)).total_seconds()
    return min(max(0, int(seconds) + 1), _MAX_RETRY_AFTER)
