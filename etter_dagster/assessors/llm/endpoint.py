"""The HTTP of an OpenAI-compatible chat endpoint: one request, one raw answer, no repetition.

The only module that knows the endpoint's address and key; neither is in any message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from etter_dagster.assessors.protocol import AnswerLost, AssessmentFailed, NotSent
from etter_dagster.model.errors import TransientError
from etter_dagster.model.ledger import RawAnswer
from etter_dagster.settings import Settings

TIMEOUT_SECONDS = 180.0
PING_SECONDS = 5.0
MAX_ANSWER_BYTES = 2 * 1024 * 1024
MAX_TOKENS = 8_000
SEED = 20230317
_PASSING = frozenset({408, 425, 429})
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,60}")
# What endpoints may not know, with the number of ways to say it, best first.
_OPTIONAL = {"response_format": 2, "seed": 1, "temperature": 1, "max_tokens": 1}
_NOT_KNOWN = re.compile(
    r"support|unknown|unrecogni[sz]ed|unexpected|invalid|permitted|allowed|extra|deprecated"
)


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: list[_Choice]


class ChatEndpoint:
    """Sends chats; safe from many tasks of one event loop.

    Args:
        settings: `llm_base_url`, `llm_model`, `llm_api_key`.
        transport: Instead of the network.
    """

    def __init__(
        self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        if settings.llm_base_url is None or settings.llm_model is None:
            raise ValueError("ETTER_ASSESSOR=llm: set ETTER_LLM_BASE_URL and ETTER_LLM_MODEL")
        key = settings.llm_api_key
        self.model = settings.llm_model
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else {},
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=10.0),
            limits=httpx.Limits(max_connections=None),
            transport=transport,
        )
        self._url = settings.llm_base_url.rstrip("/")
        self._way = dict.fromkeys(_OPTIONAL, 0)

    async def chat(
        self, messages: Sequence[Mapping[str, str]], *, schema: Mapping[str, Any], key: str
    ) -> RawAnswer:
        """Sends messages once and gives the answer, unread.

        What the endpoint says it does not know is left out and sent again: a refused request was
        not done.

        Args:
            messages: The chat.
            schema: JSON schema of the answer.
            key: The Idempotency-Key.

        Raises:
            NotSent, AnswerLost, TransientError: It may pass.
            AssessmentFailed: A refusal for good.
        """
        while True:
            way = dict(self._way)
            options = _options(way, schema)
            body = {"model": self.model, "messages": list(messages), **options}
            response = await self._post(body, key)
            refused = response.status_code in (400, 422)
            if not (refused and self._leave_out(response.text, way, options)):
                return _answer(response)

    async def ping(self) -> None:
        """Raises `TransientError` unless the endpoint answers and takes the key; costs nothing."""
        try:
            response = await self._http.get(f"{self._url}/models", timeout=PING_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TransientError(
                f"the LLM endpoint does not answer ({type(error).__name__})"
            ) from None
        if response.status_code >= 500:
            raise TransientError(f"the LLM endpoint answers with {response.status_code}")
        if response.status_code in (401, 403):
            raise TransientError("the LLM endpoint refuses the key; check ETTER_LLM_API_KEY")

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    def _leave_out(self, text: str, way: Mapping[str, int], sent: Mapping[str, Any]) -> bool:
        """Whether the endpoint names an option that it does not know; it is not sent again."""
        if not _NOT_KNOWN.search(text.lower()):
            return False
        named = [name for name in sent if name in text]
        if "json_schema" in text and "response_format" in sent:
            named.append("response_format")
        for name in named:
            # Another task may have learnt it meanwhile.
            self._way[name] = max(self._way[name], way[name] + 1)
        return bool(named)

    async def _post(self, body: Mapping[str, Any], key: str) -> httpx.Response:
        try:
            return await self._http.post(
                f"{self._url}/chat/completions", json=body, headers={"Idempotency-Key": key}
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(f"the LLM endpoint cannot be reached ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise AnswerLost(f"no answer from the LLM endpoint ({type(error).__name__})") from None


def _options(way: Mapping[str, int], schema: Mapping[str, Any]) -> dict[str, Any]:
    strict = {"name": "answer", "strict": True, "schema": schema}
    ways: dict[str, Sequence[Any]] = {
        "response_format": (
            {"type": "json_schema", "json_schema": strict},
            {"type": "json_object"},
        ),
        "seed": (SEED,),
        "temperature": (0,),
        "max_tokens": (MAX_TOKENS,),
    }
    return {name: ways[name][way[name]] for name, count in _OPTIONAL.items() if way[name] < count}


def content_of(answer: RawAnswer) -> str:
    """The model's message, without what it thought aloud; empty where it refused to say anything.

    Raises:
        TransientError: The body is not a chat completion.
    """
    try:
        completion = _Completion.model_validate_json(answer.body)
        return (completion.choices[0].message.content or "").rpartition("</think>")[2]
    except (ValidationError, IndexError):
        raise TransientError("the LLM endpoint's answer is no chat completion") from None


def _answer(response: httpx.Response) -> RawAnswer:
    status = response.status_code
    if status in _PASSING or status >= 500:
        raise TransientError(
            f"the LLM endpoint answers with {status}", retry_after=_retry_after(response)
        )
    if status in (401, 403):
        raise AssessmentFailed(
            f"the LLM endpoint refuses the key ({status}); check ETTER_LLM_API_KEY"
        )
    if status == 404:
        raise AssessmentFailed(
            "the LLM endpoint does not know the model or the path (404); check ETTER_LLM_MODEL "
            "and ETTER_LLM_BASE_URL"
        )
    if not response.is_success:
        raise AssessmentFailed(f"the LLM endpoint refuses ({_code(response) or status})")
    if len(response.content) > MAX_ANSWER_BYTES:
        raise TransientError("the LLM endpoint's answer is too long")
    usage, cost = _usage(response)
    return RawAnswer(body=response.text, usage=usage, cost=cost)


def _usage(response: httpx.Response) -> tuple[dict[str, Any], float | None]:
    """Tokens, and the cost where the endpoint says it (some gateways do)."""
    try:
        found = response.json()["usage"]
        usage = {
            name: count
            for name in ("prompt_tokens", "completion_tokens", "total_tokens")
            if isinstance(count := found.get(name), int) and count >= 0
        }
        cost = found.get("cost")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}, None
    good = isinstance(cost, (int, float)) and not isinstance(cost, bool) and 0 <= cost < 1e6
    return usage, float(cost) if good else None


def _code(response: httpx.Response) -> str | None:
    """The error's code, if it is one word; its message may hold anything, a key too."""
    try:
        code = json.loads(response.text)["error"]["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return code if isinstance(code, str) and _WORD.fullmatch(code) else None


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    seconds: float | None
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text)
    return seconds if seconds is not None and 0 <= seconds < 1e6 else None


def _seconds_until(text: str) -> float | None:
    """`Retry-After` may be a date too."""
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    zoned = until if until.tzinfo else until.replace(tzinfo=timezone.utc)
    return max(0.0, (zoned - datetime.now(timezone.utc)).total_seconds())
