"""Dagster's webserver as this service reaches it: asking it, and nothing of who may ask.

Its address never leaves this module: errors name neither it nor what it answered.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed

# Where Etter's definitions are, as `workspace.yaml` and the gate's selectors name it.
LOCATION, REPOSITORY = "etter", "__repository__"
JSON_HEADERS = {"Content-Type": "application/json"}
TIMEOUT = httpx.Timeout(60.0, connect=5.0)
log = logging.getLogger(__name__)


def dagster_unavailable() -> EtterError:
    """The error of a Dagster that does not answer."""
    return EtterError(
        ErrorCode.STORE_UNAVAILABLE,
        "Dagster cannot be reached; try again (pushes by REST are taken all the same)",
        retry_after=5,
    )


def as_json(request: Mapping[str, Any]) -> bytes:
    """A GraphQL request as it is sent.

    Raises:
        EtterError: `VALIDATION_ERROR`: it holds what Python's JSON reads, and no other does.
    """
    try:
        return json.dumps(request, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise ValidationFailed(
            FieldProblem(
                "variables", "hold a lone surrogate, NaN or Infinity, or are nested too deeply"
            )
        ) from None


class DagsterUpstream:
    """Dagster's webserver.

    Args:
        url: Where it is, with its path prefix if it has one.
        transport: Instead of the network.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT, transport=transport, trust_env=False, follow_redirects=False
        )

    @property
    def path(self) -> str:
        """The path prefix that it has, perhaps none."""
        return urlsplit(self.url).path

    async def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Asks, and gives `{"data", "errors"?}`; each error says its path and a trace id only.

        Args:
            query: A document.
            variables: Their values.

        Raises:
            EtterError: `STORE_UNAVAILABLE`: no answer; `INTERNAL_ERROR`: an answer without data;
                `VALIDATION_ERROR`: values that JSON cannot hold.
        """
        content = as_json({"query": query, "variables": variables})
        try:
            response = await self._http.post(
                f"{self.url}/graphql", content=content, headers=JSON_HEADERS
            )
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("Dagster cannot be reached: %s", type(error).__name__)
            raise dagster_unavailable() from None
        if not isinstance(answer, dict) or "data" not in answer:
            log.warning("Dagster answered %s with what is no GraphQL", response.status_code)
            raise dagster_unavailable()
        errors = _plain_errors(answer.get("errors") or ())
        if answer["data"] is None:
            raise EtterError(
                ErrorCode.INTERNAL_ERROR, errors[0]["message"] if errors else "Dagster gave no data"
            )
        return {"data": answer["data"], **({"errors": errors} if errors else {})}

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer that must be whole.

        Raises:
            EtterError: `STORE_UNAVAILABLE`: no answer, or one with errors.
        """
        answer = await self.ask(query, variables)
        if "errors" in answer:
            raise dagster_unavailable()
        data: dict[str, Any] = answer["data"]
        return data

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request; the answer's body is not read yet, and the answer must be closed.

        Args:
            method: Of HTTP.
            path: Below Dagster's own prefix.
            options: As `httpx.AsyncClient.build_request` takes them.

        Raises:
            EtterError: `STORE_UNAVAILABLE`: no answer.
        """
        request = self._http.build_request(method, f"{self.url}{path}", **options)
        try:
            return await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            log.warning("Dagster cannot be reached: %s", type(error).__name__)
            raise dagster_unavailable() from None

    async def body(self, answer: httpx.Response) -> bytes:
        """The body of what `send` gave, which is then closed.

        Raises:
            EtterError: `STORE_UNAVAILABLE`: the answer broke off.
        """
        try:
            return await answer.aread()
        except httpx.HTTPError:
            raise dagster_unavailable() from None
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()


def _plain_errors(errors: Any) -> list[dict[str, Any]]:
    plain = []
    for error in errors if isinstance(errors, list) else ():
        trace_id = secrets.token_hex(8)
        text = error.get("message") if isinstance(error, dict) else None
        log.error("Dagster's GraphQL failed, trace id %s: %s", trace_id, text)
        message = f"Dagster failed here; give the trace id {trace_id} to whoever runs Etter"
        path = error.get("path") if isinstance(error, dict) else None
        plain.append({"message": message, **({"path": path} if path else {})})
    return plain
