"""A stand-in for an OpenAI-compatible chat endpoint: labels honestly, fails when told to, and
obeys injections to the letter.

It labels by the words of a task. Whatever injection it was told of and finds in a request, it
does what that wants, to all that stands in the same request: it is as gullible as can be.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Labels = dict[int, str]
Effect = Callable[[list[str], Labels], "Labels | str"]
_TEXT_WORK = re.compile(r"\b(?:translat|correct|summari[sz]|writ|edit|draft)", re.IGNORECASE)
_BODY_WORK = re.compile(r"\b(?:carry|wash|dig|lift|clean|load|drive|shovel|stack)\b", re.IGNORECASE)


@dataclass
class Reply:
    """An answer that is not the usual one; what is not set stays as it would be."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content: str | None = None


@dataclass
class LlmState:
    """What it was asked, and how it is told to behave.

    Args:
        key: If set, every call must bring it as bearer.
        unknown: Options that it refuses, naming them, as some endpoints do.
        obeys: Injections by their text, with what each makes of the labels.
        script: Replies for the next calls, in turn; None is the usual one.
        cost: Reported in `usage`, as some gateways do.
    """

    key: str | None = None
    unknown: set[str] = field(default_factory=set)
    obeys: dict[str, Effect] = field(default_factory=dict)
    script: list[Reply | None] = field(default_factory=list)
    cost: float | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    tokens: int = 0
    sorts: Callable[[str], str] = lambda text: "overview"
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> list[list[str]]:
        """The tasks of each call."""
        return [_tasks(body) for body in self.calls]


def honest_label(task: str) -> str:
    """The label of a task by its own words; the same in whatever company it stands."""
    if _TEXT_WORK.search(task):
        return "E1"
    if _BODY_WORK.search(task):
        return "E0"
    return f"E{hashlib.sha256(task.encode()).digest()[0] % 3}"


def llm_app(state: LlmState) -> Starlette:
    """The endpoint, under `/v1`."""

    async def models(request: Request) -> Response:
        return _refused(state, request) or JSONResponse({"object": "list", "data": []})

    async def chat(request: Request) -> Response:
        body = await request.json()
        if refused := _refused(state, request):
            return refused
        for option in state.unknown:
            if option in json.dumps(body.get("response_format")) or option in body:
                message = f"Unsupported parameter: '{option}'"
                return JSONResponse({"error": {"message": message, "code": None}}, 400)
        with state.lock:
            state.calls.append(body)
            state.keys.append(request.headers.get("idempotency-key"))
            reply = (state.script.pop(0) if state.script else None) or Reply()
        if reply.status != 200 or reply.body is not None:
            text = reply.body or b'{"error": {"message": "key sk-secret at 10.0.0.1"}}'
            return Response(text, reply.status, headers=dict(reply.headers))
        content = _content(state, body) if reply.content is None else reply.content
        answer = _completion(body, content, state.cost)
        state.tokens += answer["usage"]["total_tokens"]
        return JSONResponse(answer)

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", chat, methods=["POST"]),
        ]
    )


def _refused(state: LlmState, request: Request) -> Response | None:
    if state.key in (None, request.headers.get("authorization", "").removeprefix("Bearer ")):
        return None
    message = "Incorrect API key provided: sk-wrong"
    return JSONResponse({"error": {"message": message, "code": "invalid_api_key"}}, 401)


def _tasks(body: Mapping[str, Any]) -> list[str]:
    text = next(m["content"] for m in body["messages"] if m["role"] == "user")
    return [entry["task"] for entry in json.loads(text)["tasks"]]


def _content(state: LlmState, body: Mapping[str, Any]) -> str:
    user = json.loads(next(m["content"] for m in body["messages"] if m["role"] == "user"))
    if "pieces" in user:
        parts = [{"n": p["n"], "part": state.sorts(p["text"])} for p in user["pieces"]]
        return json.dumps({"parts": parts})
    tasks = _tasks(body)
    labels: Labels = {n: honest_label(task) for n, task in enumerate(tasks, start=1)}
    for injection, effect in state.obeys.items():
        if any(injection in task for task in tasks):
            made = effect(tasks, labels)
            if isinstance(made, str):
                return made
            labels = made
    entries = [{"n": n, "label": label, "reason": "as told"} for n, label in labels.items()]
    return json.dumps({"labels": entries})


def _completion(body: Mapping[str, Any], content: str, cost: float | None) -> dict[str, Any]:
    prompt = sum(len(message["content"]) for message in body["messages"]) // 4
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": len(content) // 4,
        "total_tokens": prompt + len(content) // 4,
    }
    if cost is not None:
        usage["cost"] = cost
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }
