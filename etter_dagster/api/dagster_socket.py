"""The WebSocket of Dagster's UI, message by message: subscriptions for who may only look.

Both protocols of GraphQL over WebSocket pass: `graphql-ws`, which Dagster speaks, and its successor
`graphql-transport-ws`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from etter_dagster.api.access import ADMIN
from etter_dagster.api.dagster_ui import viewer_of
from etter_dagster.api.dagster_ui_graphql import require_looking
from etter_dagster.api.runtime import runtime_of
from etter_dagster.model.errors import EtterError

PROTOCOLS = ("graphql-ws", "graphql-transport-ws")
LOOK_AGAIN_SECONDS = 30.0
OPEN_SECONDS = 5.0
MAX_BYTES = 16 * 1024 * 1024
POLICY_VIOLATION, GOING_AWAY, TRY_AGAIN = 1008, 1001, 1013
_ASKS = ("start", "subscribe")
_STEERS = (
    "connection_init",
    "connection_terminate",
    "stop",
    "complete",
    "ping",
    "pong",
)


async def dagster_socket(socket: WebSocket) -> None:
    """Passes messages between a browser and Dagster for as long as its key may look."""
    try:
        caller = await viewer_of(socket)
        dagster = (await runtime_of(socket).opened()).dagster
    except EtterError:
        await socket.close(POLICY_VIOLATION)
        return
    offered = [Subprotocol(p) for p in socket.scope["subprotocols"] if p in PROTOCOLS]
    if not offered:
        await socket.close(POLICY_VIOLATION)
        return
    try:
        upstream = await connect(
            _address(dagster.url),
            subprotocols=offered,
            open_timeout=OPEN_SECONDS,
            max_size=MAX_BYTES,
            proxy=None,
        )
    except (OSError, WebSocketException, TimeoutError, asyncio.TimeoutError):
        await socket.close(TRY_AGAIN)
        return
    async with upstream:
        await socket.accept(upstream.subprotocol)
        may_change = caller.may(ADMIN)
        code = await _first_to_end(
            lambda: _to_dagster(socket, upstream, may_change),
            lambda: _to_browser(upstream, socket),
            lambda: _until_refused(socket, may_change),
        )
    await _close(socket, code)


def message_for_dagster(text: str, *, may_change: bool) -> str | None:
    """What goes on of a browser's message; None if nothing does.

    Args:
        text: The message.
        may_change: Whether more than subscriptions is taken.

    Raises:
        EtterError: `FORBIDDEN`: it may not be asked.
        ValueError: It is no message of the protocol.
    """
    message = json.loads(text)
    if not isinstance(message, dict):
        raise ValueError("no message")
    kind = message.get("type")
    kept: dict[str, Any] = {"type": kind}
    if isinstance(message.get("id"), str):
        kept["id"] = message["id"]
    if kind in _STEERS:
        return json.dumps(kept)
    if kind not in _ASKS:
        return None
    asked = message.get("payload")
    if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
        raise ValueError("no request")
    if not may_change:
        require_looking(asked["query"], allowed=OperationType.SUBSCRIPTION)
    names = ("query", "variables", "operationName")
    return json.dumps({**kept, "payload": {name: asked.get(name) for name in names}})


async def _to_dagster(socket: WebSocket, upstream: ClientConnection, may_change: bool) -> int:
    while True:
        try:
            text = await socket.receive_text()
        except (WebSocketDisconnect, KeyError):  # it has gone, or sent what is no text
            return GOING_AWAY
        try:
            message = message_for_dagster(text, may_change=may_change)
        except EtterError as error:
            refusal = {"type": "error", "id": json.loads(text).get("id")}
            await socket.send_json({**refusal, "payload": {"message": error.message}})
        except (ValueError, RecursionError):
            return POLICY_VIOLATION
        else:
            if message is not None:
                await upstream.send(message)


async def _to_browser(upstream: ClientConnection, socket: WebSocket) -> int:
    async for message in upstream:
        if isinstance(message, str):
            await socket.send_text(message)
    return GOING_AWAY


async def _until_refused(socket: WebSocket, may_change: bool) -> int:
    """A key that is revoked or expires loses its open sockets, too."""
    while True:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        try:
            caller = await viewer_of(socket)
        except EtterError as error:
            if not error.recoverable:
                return POLICY_VIOLATION
        else:
            if may_change and not caller.may(ADMIN):
                return POLICY_VIOLATION


async def _first_to_end(*works: Callable[[], Awaitable[int]]) -> int:
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        error = task.exception()
        if error is None:
            return task.result()
        if not isinstance(error, (ConnectionClosed, WebSocketDisconnect, RuntimeError)):
            raise error
    return GOING_AWAY


async def _close(socket: WebSocket, code: int) -> None:
    try:
        await socket.close(code)
    except (RuntimeError, WebSocketDisconnect):  # the browser was first
        return


def _address(url: str) -> str:
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path}/graphql", "", ""))
