"""`EtterClient` and `AsyncEtterClient`: every REST route as a typed method, and following a push.

What a call sends and how its answer is read is in `calls.py`, once for both.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Concatenate, TypeVar

import httpx
from typing_extensions import ParamSpec, Self

from etter_dagster.client import calls
from etter_dagster.client.answers import EventReader, cut_off, error_of, not_reachable, read_answer
from etter_dagster.client.api_key import key_of_environment
from etter_dagster.client.calls import Call
from etter_dagster.model.errors import EtterError
from etter_dagster.onboarding.status import StatusView

DEFAULT_URL = "http://127.0.0.1:8090"
PREFIX = "/api/v1/pipeline"
TIMEOUT_SECONDS = 30.0
_QUIET_SECONDS = 40.0  # a stream has a comment at least every 15 s; silent for longer, it is dead
_COME_AGAIN_SECONDS = 0.5
_TRIES_WITHOUT_EVENT = 5

P = ParamSpec("P")
Answer = TypeVar("Answer")
Method = TypeVar("Method", bound=Callable[..., Any])


def _sync(
    call: Callable[P, Call[Answer]],
) -> Callable[Concatenate[EtterClient, P], Answer]:
    @functools.wraps(call)
    def method(self: EtterClient, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        return self.send(call(*args, **kwargs))

    return _signed(method, call)


def _async(
    call: Callable[P, Call[Answer]],
) -> Callable[Concatenate[AsyncEtterClient, P], Awaitable[Answer]]:
    @functools.wraps(call)
    async def method(self: AsyncEtterClient, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        return await self.send(call(*args, **kwargs))

    return _signed(method, call)


def _signed(method: Method, call: Callable[..., Any]) -> Method:
    """Shows the call's parameters after `self`; `wraps` alone would lose the first one."""
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = inspect.signature(call)
    given = (own, *signature.parameters.values())
    method.__signature__ = signature.replace(parameters=given)  # type: ignore[attr-defined]
    return method


def _options(base_url: str, prefix: str, api_key: str | None, timeout: float) -> dict[str, Any]:
    api_key = api_key or key_of_environment()
    return {
        "base_url": base_url.rstrip("/") + prefix,
        "headers": {"Authorization": f"Bearer {api_key}"} if api_key else {},
        "timeout": timeout,
    }


def _request(call: Call[Any]) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": call.path,
        "params": call.params,
        "json": call.json,
        "content": call.content,
        "headers": call.headers,
    }


def _stream(workflow_id: str, reader: EventReader) -> dict[str, Any]:
    resume = {"Last-Event-ID": reader.last_id} if reader.last_id else {}
    return {
        "method": "GET",
        "url": f"{calls.status(workflow_id).path}/events",
        "headers": {"Accept": "text/event-stream", **resume},
        "timeout": httpx.Timeout(TIMEOUT_SECONDS, read=_QUIET_SECONDS),
    }


class EtterClient:
    """Etter's REST service. Each method raises `EtterError` with the service's code.

    Args:
        base_url: Where the service is, without the path.
        api_key: The key, where there are keys; by default `ETTER_API_KEY`, or what is in the file
            `ETTER_API_KEY_FILE`.
        prefix: The path under which the routes are, if the router is mounted elsewhere.
        timeout: Seconds for each call.
        transport: Instead of the network.
        sleep: How to pause before a broken stream is taken up again.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        prefix: str = PREFIX,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        options = _options(base_url, prefix, api_key, timeout)
        self._http = httpx.Client(**options, transport=transport)
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def send(self, call: Call[Answer]) -> Answer:
        """Sends a call of `calls` and reads its answer."""
        try:
            return read_answer(call, self._http.request(**_request(call)))
        except httpx.TransportError as error:
            raise not_reachable(error) from error

    push = _sync(calls.push)
    status = _sync(calls.status)
    retry = _sync(calls.retry)
    cancel = _sync(calls.cancel)
    push_batch = _sync(calls.push_batch)
    push_csv = _sync(calls.push_csv)
    batch_status = _sync(calls.batch_status)
    retry_failed = _sync(calls.retry_failed)
    companies = _sync(calls.companies)
    roles = _sync(calls.roles)
    put_role = _sync(calls.put_role)
    assessment = _sync(calls.assessment)
    assessments = _sync(calls.assessments)
    compare_assessments = _sync(calls.compare_assessments)
    documents = _sync(calls.documents)
    history = _sync(calls.history)
    audit = _sync(calls.audit)
    pushes = _sync(calls.pushes)
    retry_pushes = _sync(calls.retry_pushes)
    cancel_pushes = _sync(calls.cancel_pushes)
    operation = _sync(calls.operation)
    abort = _sync(calls.abort)
    health = _sync(calls.health)

    def watch(self, workflow_id: str) -> Iterator[StatusView]:
        """The status at each change, till the push has ended; a broken stream is taken up again.

        Args:
            workflow_id: The push.
        """
        reader, tries = EventReader(), 0
        while True:
            reason = cut_off()
            try:
                with self._http.stream(**_stream(workflow_id, reader)) as response:
                    if response.status_code == 204:
                        return
                    if response.status_code != 200:
                        response.read()
                        raise error_of(response)
                    reader.begin()
                    for line in response.iter_lines():
                        for view in reader.feed(line):
                            tries = 0
                            yield view
                            if view.status.terminal:
                                return
            except httpx.TransportError as error:
                reason = not_reachable(error)
            except EtterError as error:
                reason = error
            if not reason.recoverable or tries >= _TRIES_WITHOUT_EVENT:
                raise reason
            tries += 1
            self._sleep(_COME_AGAIN_SECONDS * tries)

    def wait(self, workflow_id: str) -> StatusView:
        """Follows a push to its end and gives its last status.

        Args:
            workflow_id: The push.
        """
        for view in self.watch(workflow_id):
            if view.status.terminal:
                return view
        return self.status(workflow_id)


class AsyncEtterClient:
    """The same for asyncio.

    Args:
        base_url: Where the service is, without the path.
        api_key: The key, where there are keys; by default `ETTER_API_KEY`, or what is in the file
            `ETTER_API_KEY_FILE`.
        prefix: The path under which the routes are, if the router is mounted elsewhere.
        timeout: Seconds for each call.
        transport: Instead of the network, e.g. `httpx.ASGITransport(app)`.
        sleep: How to pause before a broken stream is taken up again.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        prefix: str = PREFIX,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        options = _options(base_url, prefix, api_key, timeout)
        self._http = httpx.AsyncClient(**options, transport=transport)
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def send(self, call: Call[Answer]) -> Answer:
        """Sends a call of `calls` and reads its answer."""
        try:
            return read_answer(call, await self._http.request(**_request(call)))
        except httpx.TransportError as error:
            raise not_reachable(error) from error

    push = _async(calls.push)
    status = _async(calls.status)
    retry = _async(calls.retry)
    cancel = _async(calls.cancel)
    push_batch = _async(calls.push_batch)
    push_csv = _async(calls.push_csv)
    batch_status = _async(calls.batch_status)
    retry_failed = _async(calls.retry_failed)
    companies = _async(calls.companies)
    roles = _async(calls.roles)
    put_role = _async(calls.put_role)
    assessment = _async(calls.assessment)
    assessments = _async(calls.assessments)
    compare_assessments = _async(calls.compare_assessments)
    documents = _async(calls.documents)
    history = _async(calls.history)
    audit = _async(calls.audit)
    pushes = _async(calls.pushes)
    retry_pushes = _async(calls.retry_pushes)
    cancel_pushes = _async(calls.cancel_pushes)
    operation = _async(calls.operation)
    abort = _async(calls.abort)
    health = _async(calls.health)

    async def watch(self, workflow_id: str) -> AsyncIterator[StatusView]:
        """The status at each change, till the push has ended; a broken stream is taken up again.

        Args:
            workflow_id: The push.
        """
        reader, tries = EventReader(), 0
        while True:
            reason = cut_off()
            try:
                async with self._http.stream(**_stream(workflow_id, reader)) as response:
                    if response.status_code == 204:
                        return
                    if response.status_code != 200:
                        await response.aread()
                        raise error_of(response)
                    reader.begin()
                    async for line in response.aiter_lines():
                        for view in reader.feed(line):
                            tries = 0
                            yield view
                            if view.status.terminal:
                                return
            except httpx.TransportError as error:
                reason = not_reachable(error)
            except EtterError as error:
                reason = error
            if not reason.recoverable or tries >= _TRIES_WITHOUT_EVENT:
                raise reason
            tries += 1
            await self._sleep(_COME_AGAIN_SECONDS * tries)

    async def wait(self, workflow_id: str) -> StatusView:
        """Follows a push to its end and gives its last status.

        Args:
            workflow_id: The push.
        """
        async for view in self.watch(workflow_id):
            if view.status.terminal:
                return view
        return await self.status(workflow_id)
