"""The route class of every REST route: limits, access, idempotency, error bodies, exact path names.

All of it sits in the route and not in middleware, because the router may be mounted in somebody
else's app.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import unquote

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Message, Receive, Scope, Send

from etter_dagster.api.access import Needs, NeedsNothing, authenticate
from etter_dagster.api.errors import error_response, unprocessable
from etter_dagster.api.idempotency import KEY_HEADER, answered_once
from etter_dagster.api.requests_log import log_request, trace_of
from etter_dagster.api.runtime import runtime_of
from etter_dagster.logs import logged
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.tracing import span, trace_id

MAX_BODY_BYTES = 10 * 1024 * 1024
DRAIN_BYTES = 4 * MAX_BODY_BYTES
JSON, FORM = "application/json", "multipart/form-data"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def accepts(
    *media_types: str, limit: int = MAX_BODY_BYTES, at_once: int | None = None
) -> Callable[[Endpoint], Endpoint]:
    """Says which media types an endpoint reads, where that is not JSON alone, and how much.

    Args:
        media_types: Which.
        limit: Bytes of a body.
        at_once: How many a key may have at work in a process; None: any number.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.media_types = media_types  # type: ignore[attr-defined]
        endpoint.body_limit = limit  # type: ignore[attr-defined]
        endpoint.at_once = at_once  # type: ignore[attr-defined]
        return endpoint

    return mark


class ExactPathRoute(APIRoute):
    """A route whose path parameters are read from the path as it was sent.

    Servers decode `%2F` before they hand the path on, which loses where a name ends. Declared as
    `{name:path}`, a parameter matches them, and its value is then taken from the raw path.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Like the stock one; parameters have their exact value."""
        match, child = super().matches(scope)
        raw = scope.get("raw_path")
        if match is Match.NONE or not raw or "{" not in self.path_format:
            return match, child
        template = self.path_format.strip("/").split("/")
        segments = raw.split(b"?")[0].decode("latin-1").split("/")[-len(template) :]
        exact = {
            name[1:-1]: unquote(text)
            for name, text in zip(template, segments, strict=False)
            if name.startswith("{")
        }
        loose = {name: child["path_params"][name] for name in exact}
        filled = self.path_format.format_map(loose), self.path_format.format_map(exact)
        if filled[0] != filled[1] or not all(exact.values()):
            return Match.NONE, {}
        child["path_params"] = {**child["path_params"], **exact}
        return match, child


class EtterRoute(ExactPathRoute):
    """A REST route."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.needs = _find_needs(self.dependant)
        self.media_types: tuple[str, ...] = getattr(
            endpoint, "media_types", (JSON,) if self.body_field is not None else ()
        )
        self.body_limit: int = getattr(endpoint, "body_limit", MAX_BODY_BYTES)
        self.at_once: int | None = getattr(endpoint, "at_once", None)
        self.at_work: Counter[str] = Counter()
        self.query_names = _query_names(self.dependant)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Like the stock one; a wrong method gets our error body in any app."""
        if self.methods and scope["method"] not in self.methods:
            allow = {"Allow": ", ".join(sorted(self.methods))}
            response = error_response(HTTPException(405, headers=allow))
            await response(scope, receive, send)
            return
        await super().handle(scope, receive, send)

    def get_route_handler(self) -> Handler:
        """The handler, wrapped."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            ids = _ids_in_path(request)
            asked = {"http.request.method": request.method, "http.route": self.path_format}
            with (
                span(
                    f"{request.method} {self.path_format}",
                    asked | {f"etter.{name}": value for name, value in ids.items()},
                    kind="server",
                    parent=request.headers.get("traceparent"),
                ) as note,
                logged(trace_id=trace_id() or trace_of(request), **ids),
            ):
                response = await self._observed(inner, request)
                note("http.response.status_code", response.status_code)
                note(
                    "error.type", str(response.status_code) if response.status_code >= 500 else None
                )
                return response

        return handler

    async def _observed(self, inner: Handler, request: Request) -> Response:
        started = time.perf_counter()
        try:
            response = await self._answer(inner, request)
        except Exception as error:
            response = error_response(error)
        runtime_of(request).metrics.observe(
            request.method, self.path_format, response.status_code, started
        )
        log_request(request, self.path_format, response, started)
        return response

    async def _answer(self, inner: Handler, request: Request) -> Response:
        if FORM in self.media_types:
            inner = _of_form(inner)
        if self.needs.scope is not None:
            request.state.caller = await authenticate(request)
        else:
            request.state.caller = None
        self._check_query(request)
        if request.method not in ("POST", "PUT"):
            return await inner(request)
        with self._place(request):
            return await self._answer_to_body(inner, request)

    @contextmanager
    def _place(self, request: Request) -> Iterator[None]:
        """One of the few that a key may have here, from before its body is read."""
        key_id = request.state.caller.key_id if request.state.caller else ""
        if self.at_once is not None and self.at_work[key_id] >= self.at_once:
            raise EtterError(
                ErrorCode.RATE_LIMITED,
                f"this key has {self.at_once} of these at work; wait for an answer, then go on",
                retry_after=5,
            )
        self.at_work[key_id] += 1
        try:
            yield
        finally:
            self.at_work[key_id] -= 1
            if not self.at_work[key_id]:
                del self.at_work[key_id]

    async def _answer_to_body(self, inner: Handler, request: Request) -> Response:
        body = await read_body(request, self.body_limit)
        if body and self.media_types:
            _check_media_type(request, self.media_types)
        key = request.headers.get(KEY_HEADER, "")
        if request.method != "POST" or not 1 <= len(key) <= 255:
            return await inner(_replayed(request, body))  # a wrong key is refused by the schema
        opened = await runtime_of(request).opened()
        return await answered_once(
            opened.services.queue,
            scope=f"key:{request.state.caller.key_id}",
            key=key,
            request=request,
            body=body,
            answer=lambda: inner(_replayed(request, body)),
        )

    def _check_query(self, request: Request) -> None:
        for name in request.query_params:
            if name not in self.query_names:
                known = ", ".join(sorted(self.query_names)) or "none"
                raise unprocessable(name, f"is not a known parameter; known ones: {known}")


async def read_body(request: Request, limit: int = MAX_BODY_BYTES) -> bytes:
    """The body, of which no more is kept than may be taken.

    Most clients read the answer only when they have sent all; what is somewhat too large is
    therefore read to its end and thrown away.

    Args:
        request: The request.
        limit: The greatest number of bytes.

    Raises:
        EtterError: `PAYLOAD_TOO_LARGE`.
    """
    announced = request.headers.get("content-length", "0")
    length = int(announced) if announced.isdecimal() else 0
    body, seen = bytearray(), 0
    if length <= DRAIN_BYTES:
        async for chunk in request.stream():
            seen += len(chunk)
            if max(seen, length) <= limit:
                body += chunk
            elif seen > DRAIN_BYTES:
                break
    if max(seen, length) > limit:
        raise EtterError(
            ErrorCode.PAYLOAD_TOO_LARGE,
            f"the body is larger than {limit} bytes; send less at once, or documents by uri",
        )
    return bytes(body)


def _replayed(request: Request, body: bytes) -> Request:
    """The same request, whose body can be read (again)."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


def _of_form(inner: Handler) -> Handler:
    """The same handler, which says of a broken form that it is one."""

    async def handler(request: Request) -> Response:
        try:
            return await inner(request)
        except HTTPException as error:
            if error.status_code != 400:
                raise
            raise unprocessable("body", f"is no readable {FORM}; send the file in a form") from None

    return handler


def _check_media_type(request: Request, legal: tuple[str, ...]) -> None:
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given in legal or (JSON in legal and given.endswith("+json")):
        return
    raise EtterError(
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        f"the body is '{given or 'of no named type'}'; send Content-Type: {' or '.join(legal)}",
    )


def _ids_in_path(request: Request) -> dict[str, str]:
    names = ("workflow_id", "role_id", "batch_id", "operation_id")
    return {name: request.path_params[name] for name in names if name in request.path_params}


def _find_needs(dependant: Dependant) -> Needs | NeedsNothing:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Needs | NeedsNothing):
            return dependency.call
    raise TypeError(f"{dependant.path}: the route declares no scope; add Depends(needs(...))")


def _query_names(dependant: Dependant) -> frozenset[str]:
    own = {param.alias for param in dependant.query_params}
    return frozenset(own.union(*(_query_names(sub) for sub in dependant.dependencies)))
