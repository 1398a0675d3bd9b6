"""`Idempotency-Key`: a repeated request gets the first answer, also when both come at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header
from starlette.requests import Request
from starlette.responses import Response

from etter_dagster.api.errors import JsonBody
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.onboarding.once import LIFETIME_SECONDS, Once
from etter_dagster.stores.protocols import PushQueue, StoredAnswer

KEY_HEADER = "Idempotency-Key"
_BOUNDARY = re.compile(r"^multipart/.*boundary=\"?([^\";,\s]{8,70})", re.IGNORECASE)
_ASK_AGAIN_SECONDS = 0.05
_WAIT_SECONDS = 90.0  # longer than a dead process's reservation lasts


def idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias=KEY_HEADER,
            min_length=1,
            max_length=255,
            description="The same key and body within 24 h get the first answer again.",
        ),
    ] = None,
) -> None:
    """Declares the header on a route; the route class acts on it."""


def once_of(request: Request) -> Once | None:
    """What names the request, if it has a key: its repetition has the same name.

    Args:
        request: Within `answered_once`, or without a key.
    """
    once: Once | None = getattr(request.state, "once", None)
    return once


async def answered_once(
    queue: PushQueue,
    *,
    scope: str,
    key: str,
    request: Request,
    body: bytes,
    answer: Callable[[], Awaitable[Response]],
) -> Response:
    """Gives the stored answer, or makes it and stores it; a refusal is not stored.

    Args:
        queue: Keeps keys and answers.
        scope: Whose key it is.
        key: The caller's key.
        request: What is asked.
        body: Its body.
        answer: Makes the answer.

    Raises:
        EtterError: `IDEMPOTENCY_CONFLICT`: the key came with another request.
    """
    asked = _request_hash(request, body)
    request.state.once = (scope, key, asked)
    give_up = time.monotonic() + _WAIT_SECONDS
    while True:
        found = await queue.reserve_key(scope, key, asked, ttl_seconds=LIFETIME_SECONDS)
        if found.answer is not None:
            headers = {"Idempotent-Replayed": "true"}
            return JsonBody(found.answer.body, status_code=found.answer.status, headers=headers)
        if found.conflict:
            raise EtterError(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                f"this {KEY_HEADER} was used for another request; take a new one",
            )
        if found.fresh:
            break
        if time.monotonic() > give_up:
            raise EtterError(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                f"the first request with this {KEY_HEADER} is still at work; ask again",
                recoverable=True,
                retry_after=5,
            )
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
    return await _make(queue, scope, key, answer)


async def _make(
    queue: PushQueue, scope: str, key: str, answer: Callable[[], Awaitable[Response]]
) -> Response:
    try:
        response = await answer()
    except BaseException:
        await queue.release_key(scope, key)
        raise
    if response.status_code >= 400:
        await queue.release_key(scope, key)
    else:
        stored = StoredAnswer(status=response.status_code, body=json.loads(bytes(response.body)))
        await queue.store_answer(scope, key, stored)
    return response


def _request_hash(request: Request, body: bytes) -> str:
    digest = hashlib.sha256()
    for part in (request.method, request.url.path, request.url.query, ""):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(_without_boundary(request, body))
    return digest.hexdigest()


def _without_boundary(request: Request, body: bytes) -> bytes:
    """A form's body without the line between its parts, which each sending makes anew."""
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    return body.replace(boundary[1].encode("latin-1"), b"") if boundary else body
