"""HTTP to the assessment service: one request, one answer; what may pass is told apart here.

Repeats nothing and knows no score. No address and no token ever stands in an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from etter_dagster.assessors.protocol import AnswerLost, AssessmentFailed, NotSent
from etter_dagster.model.errors import TransientError

PATH = "/api/automated_workflows/"
FREE_SECONDS = 60.0  # for calls that only note something
PING_SECONDS = 3.0
CONNECT_SECONDS = 10.0
MAX_BYTES = 32 * 1024 * 1024  # real answers have some 25 kB
_MAY_PASS = frozenset({408, 425, 429})
_REFUSED_KEY = frozenset({401, 403})


class ServiceClient:
    """The service's endpoints, raw.

    Args:
        base_url: Where it is.
        token: Sent as bearer, if there is one.
        timeout: Seconds that one assessment may take.
        transport: Instead of the network.
        clock: The present, in UTC; for dates in `Retry-After`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None,
        timeout: float,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._timeout = timeout
        self._clock = clock
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            # No connection is used twice: one that the service has just closed would lose a call
            # that it never saw, and a handshake is nothing beside minutes of work.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            transport=transport,
        )

    async def free(self, endpoint: str, body: Mapping[str, Any]) -> str:
        """A call that costs nothing; gives the answer's text.

        Raises:
            TransientError: It may pass.
            AssessmentFailed: It is refused for good.
        """
        return await self._ask("POST", PATH + endpoint, FREE_SECONDS, json=body)

    async def assess(self, body: Mapping[str, Any], key: str) -> str:
        """The call that costs; gives the answer's text, unread.

        Args:
            body: As the service wants it.
            key: The Idempotency-Key.

        Raises:
            NotSent: No connection.
            AnswerLost: It was sent and no answer came.
            TransientError: Refused in a way that may pass.
            AssessmentFailed: Refused for good.
        """
        headers = {"Idempotency-Key": key}
        path = PATH + "run-ai-assessment"
        return await self._ask("POST", path, self._timeout, json=body, headers=headers)

    async def ping(self) -> None:
        """Raises `TransientError` unless the service says that it is well."""
        try:
            await self._ask("GET", "/health", PING_SECONDS)
        except AssessmentFailed as error:
            raise TransientError(str(error)) from None

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, seconds: float, **given: Any) -> str:
        what = f"the assessment service ({path.rsplit('/', 1)[-1]})"
        try:
            return await asyncio.wait_for(self._exchange(what, method, path, given), seconds)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(f"{what} cannot be reached: {type(error).__name__}") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise AnswerLost(f"{what} gave no answer: {type(error).__name__}") from None
        except asyncio.TimeoutError:
            raise AnswerLost(f"{what} gave no answer within {seconds:g} s") from None

    async def _exchange(self, what: str, method: str, path: str, given: Mapping[str, Any]) -> str:
        async with self._http.stream(method, path, **given) as response:
            self._refuse(what, response)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise AnswerLost(f"{what} sent more than {MAX_BYTES} bytes")
        return body.decode("utf-8", "replace")

    def _refuse(self, what: str, response: httpx.Response) -> None:
        status = response.status_code
        if response.is_success:
            return
        if status in _MAY_PASS or response.is_server_error:
            raise TransientError(
                f"{what} answered HTTP {status}",
                retry_after=retry_after(response.headers.get("retry-after"), self._clock()),
            )
        remedy = "; check ETTER_WORKFLOW_API_TOKEN" if status in _REFUSED_KEY else ""
        raise AssessmentFailed(f"{what} refused the request with HTTP {status}{remedy}")


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, if it can be read.

    Args:
        header: Seconds or a date.
        now: The present.
    """
    if not header:
        return None
    if header.strip().isdecimal():  # not `isdigit`: `float` reads no superscript
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=timezone.utc)
    return max(0.0, (until - now).total_seconds())
