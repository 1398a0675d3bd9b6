"""Reading answers: a body, an `EtterError` rebuilt from an error body, events out of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import httpx

from etter_dagster.client.calls import Call
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem
from etter_dagster.onboarding.status import StatusView

Answer = TypeVar("Answer")


def read_answer(call: Call[Answer], response: httpx.Response) -> Answer:
    """The answer's body.

    Args:
        call: What was asked.
        response: What came back, read.

    Raises:
        EtterError: The service refused, with its code, message and fields.
    """
    if response.status_code != 200 and response.status_code not in call.also:
        raise error_of(response)
    try:
        return call.read(response.json())
    except ValueError:
        raise _strange(response) from None


def error_of(response: httpx.Response) -> EtterError:
    """The error that a response stands for.

    Args:
        response: With a status that is no success, read.
    """
    detail = _detail(response)
    try:
        code = ErrorCode(detail.pop("error"))
        message = str(detail.pop("message"))
    except (KeyError, ValueError):
        return _strange(response)
    retry_after = response.headers.get("Retry-After", "")
    return EtterError(
        code,
        message,
        fields=[FieldProblem(f["field"], f["message"]) for f in detail.pop("fields", ())],
        recoverable=bool(detail.pop("recoverable", False)),
        retry_after=int(retry_after) if retry_after.isdecimal() else None,
        detail=detail,
        http_status=response.status_code,
    )


def _strange(response: httpx.Response) -> EtterError:
    return EtterError(
        ErrorCode.INTERNAL_ERROR,
        f"the service answered {response.status_code} with a body that is not Etter's, or of "
        "another version; check the base URL",
        http_status=response.status_code,
    )


def _detail(response: httpx.Response) -> dict[str, Any]:
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return {}
    return dict(detail) if isinstance(detail, dict) else {}


def not_reachable(error: httpx.TransportError) -> EtterError:
    """The error of a service that did not answer; names no address."""
    return EtterError(
        ErrorCode.STORE_UNAVAILABLE,
        f"the Etter service cannot be reached ({type(error).__name__}); is `etter up` running?",
    )


def cut_off() -> EtterError:
    """The error of a stream that ends again and again before its push does."""
    return EtterError(
        ErrorCode.STORE_UNAVAILABLE, "the stream of the push's status ended early; try again"
    )


class EventReader:
    """Takes the lines of an event stream and gives the status of each whole event."""

    def __init__(self) -> None:
        self.last_id: str | None = None
        self._id: str | None = None
        self._data: list[str] = []

    def begin(self) -> None:
        """A new stream begins: half an event of the one before is not used."""
        self._id, self._data = self.last_id, []

    def feed(self, line: str) -> Iterator[StatusView]:
        """One line, without its end.

        Args:
            line: The line.
        """
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
        elif not line and self._data:
            text, self._data, self.last_id = "\n".join(self._data), [], self._id
            yield StatusView.model_validate_json(text)
