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


def sync_method(
    call: Callable[P, Call[Answer]],
) -> Callable[Concatenate[EtterClient, P], Answer]:
    """A method that sends what `call` makes of its arguments."""

    @functools.wraps(call)
    def method(self: EtterClient, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        return self.send(call(*args, **kwargs))

    return _signed(method, call)


def async_method(
    call: Callable[P, Call[Answer]],
) -> Callable[Concatenate[AsyncEtterClient, P], Awaitable[Answer]]:
    """The same for asyncio."""

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
        "data": call.form,
        "files": call.files,
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

    push = sync_method(calls.push)
    status = sync_method(calls.status)
    retry = sync_method(calls.retry)
    cancel = sync_method(calls.cancel)
    push_batch = sync_method(calls.push_batch)
    push_csv = sync_method(calls.push_csv)
    batch_status = sync_method(calls.batch_status)
    retry_failed = sync_method(calls.retry_failed)
    companies = sync_method(calls.companies)
    roles = sync_method(calls.roles)
    put_role = sync_method(calls.put_role)
    upload_document = sync_method(calls.upload_document)
    assessment = sync_method(calls.assessment)
    assessments = sync_method(calls.assessments)
    compare_assessments = sync_method(calls.compare_assessments)
    documents = sync_method(calls.documents)
    history = sync_method(calls.history)
    audit = sync_method(calls.audit)
    pushes = sync_method(calls.pushes)
    retry_pushes = sync_method(calls.retry_pushes)
    cancel_pushes = sync_method(calls.cancel_pushes)
    operation = sync_method(calls.operation)
    abort = sync_method(calls.abort)
    health = sync_method(calls.health)

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

    push = async_method(calls.push)
    status = async_method(calls.status)
    retry = async_method(calls.retry)
    cancel = async_method(calls.cancel)
    push_batch = async_method(calls.push_batch)
    push_csv = async_method(calls.push_csv)
    batch_status = async_method(calls.batch_status)
    retry_failed = async_method(calls.retry_failed)
    companies = async_method(calls.companies)
    roles = async_method(calls.roles)
    put_role = async_method(calls.put_role)
    upload_document = async_method(calls.upload_document)
    assessment = async_method(calls.assessment)
    assessments = async_method(calls.assessments)
    compare_assessments = async_method(calls.compare_assessments)
    documents = async_method(calls.documents)
    history = async_method(calls.history)
    audit = async_method(calls.audit)
    pushes = async_method(calls.pushes)
    retry_pushes = async_method(calls.retry_pushes)
    cancel_pushes = async_method(calls.cancel_pushes)
    operation = async_method(calls.operation)
    abort = async_method(calls.abort)
    health = async_method(calls.health)

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
