"""The error codes of the contract and the one exception type that carries them.

Every layer raises these; only the edges (REST, CLI, Dagster) turn them into status codes, exit
codes or failures. No HTTP library is known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class ErrorCode(str, Enum):
    """Codes that users see; `http_status` and `recoverable` are fixed per code."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_PROCESSING = "ALREADY_PROCESSING"
    NOT_RETRYABLE = "NOT_RETRYABLE"
    NOT_CANCELLABLE = "NOT_CANCELLABLE"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    QUEUE_FULL = "QUEUE_FULL"
    RATE_LIMITED = "RATE_LIMITED"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    SOURCE_UNAVAILABLE = "SOURCE_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    # Codes of a push that failed while it was worked on; REST shows them in `error.code`.
    ASSESSMENT_FAILED = "ASSESSMENT_FAILED"
    STEP_FAILED = "STEP_FAILED"
    STEP_TIMEOUT = "STEP_TIMEOUT"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"

    @property
    def http_status(self) -> int:
        """The status REST answers with (a 422 is chosen by the schema layer itself)."""
        return _HTTP_STATUS.get(self, 500)

    @property
    def recoverable(self) -> bool:
        """Whether trying the same again later can help."""
        return self in _RECOVERABLE


_HTTP_STATUS = {
    ErrorCode.VALIDATION_ERROR: 400,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.ALREADY_PROCESSING: 409,
    ErrorCode.NOT_RETRYABLE: 409,
    ErrorCode.NOT_CANCELLABLE: 409,
    ErrorCode.IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.PAYLOAD_TOO_LARGE: 413,
    ErrorCode.QUEUE_FULL: 429,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.BUDGET_EXCEEDED: 429,
    ErrorCode.STORE_UNAVAILABLE: 503,
    ErrorCode.SOURCE_UNAVAILABLE: 503,
}
_RECOVERABLE = {
    ErrorCode.ALREADY_PROCESSING,
    ErrorCode.QUEUE_FULL,
    ErrorCode.RATE_LIMITED,
    ErrorCode.BUDGET_EXCEEDED,
    ErrorCode.STORE_UNAVAILABLE,
    ErrorCode.SOURCE_UNAVAILABLE,
    ErrorCode.STEP_TIMEOUT,
    ErrorCode.ATTEMPTS_EXHAUSTED,
}


@dataclass(frozen=True)
class FieldProblem:
    """One field of a request and what is wrong with it, remedy included."""

    field: str
    message: str


class EtterError(Exception):
    """An error with a code of the contract.

    Args:
        code: One of `ErrorCode`.
        message: One sentence for a person: what is wrong and what helps. Never holds a secret.
        fields: The fields concerned, if any.
        recoverable: Overrides the code's own answer.
        retry_after: Seconds after which trying again may help.
        detail: More keys for the error body (e.g. `workflow_id`, `rejected`).
        http_status: Overrides the code's own status (a refused batch takes its items' status).
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        fields: Sequence[FieldProblem] = (),
        recoverable: bool | None = None,
        retry_after: int | None = None,
        detail: dict[str, Any] | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = tuple(fields)
        self.recoverable = code.recoverable if recoverable is None else recoverable
        self.retry_after = retry_after
        self.detail = detail or {}
        self.http_status = code.http_status if http_status is None else http_status

    def body(self) -> dict[str, Any]:
        """The `detail` object of the REST error body."""
        body: dict[str, Any] = {
            "error": self.code.value,
            "message": self.message,
            "recoverable": self.recoverable,
        }
        if self.fields:
            body["fields"] = [{"field": f.field, "message": f.message} for f in self.fields]
        return self.detail | body


class ValidationFailed(EtterError):
    """Input that the checks refuse; names every field at once."""

    def __init__(self, *problems: FieldProblem) -> None:
        message = "; ".join(f"{p.field}: {p.message}" for p in problems)
        super().__init__(ErrorCode.VALIDATION_ERROR, message, fields=problems)


class NotFound(EtterError):
    """An id or name that is not known (or is another company's, which must look the same)."""

    def __init__(self, what: str, remedy: str = "") -> None:
        message = f"{what} is not known" + (f"; {remedy}" if remedy else "")
        super().__init__(ErrorCode.NOT_FOUND, message)


class AlreadyProcessing(EtterError):
    """The role has an active push; `workflow_id` names it."""

    def __init__(self, role_name: str, workflow_id: str) -> None:
        super().__init__(
            ErrorCode.ALREADY_PROCESSING,
            f"'{role_name}' is already being worked on by {workflow_id}; wait until it ends",
            detail={"workflow_id": workflow_id},
        )
        self.workflow_id = workflow_id


class CompanyAtWork(EtterError):
    """A company cannot be deleted while pushes of it are held by workers."""

    def __init__(self, company_id: str, held: int) -> None:
        super().__init__(
            ErrorCode.ALREADY_PROCESSING,
            f"{held} pushes of '{company_id}' are being worked on; try again when they have ended "
            "(what a dead worker held is taken back by the next one that claims)",
        )


class StoreUnavailable(EtterError):
    """A configured store cannot be used.

    Args:
        what: `graph`, `queue`, `ledger`: no address.
        why: What only who runs Etter can mend, remedy included; without it, the store is away.
    """

    def __init__(self, what: str, why: str = "") -> None:
        said = f"cannot be used: {why}" if why else "cannot be reached; try again"
        super().__init__(ErrorCode.STORE_UNAVAILABLE, f"the {what} store {said}", retry_after=5)


class SchemaMismatch(StoreUnavailable):
    """A store holds another schema version than this code works with; nothing was written.

    Args:
        what: `graph` or `queue`.
        found: The store's version.
        needed: This code's.
    """

    def __init__(self, what: str, found: int, needed: int) -> None:
        super().__init__(what)
        if found > needed:
            said = f"was written by a newer Etter (schema version {found}, this one knows {needed})"
            remedy = "update Etter; `etter migrate` cannot go back"
        else:
            said = f"has schema version {found}, this Etter needs {needed}"
            remedy = "run `etter migrate`"
        self.message = f"the {what} store {said}; {remedy}"
        self.args = (self.message,)
        self.recoverable = False
        self.retry_after = None


class SourceUnavailable(EtterError):
    """A source of documents or taxonomy cannot be read; never the same as an empty answer."""

    def __init__(self, message: str, *, retry_after: int = 30) -> None:
        super().__init__(ErrorCode.SOURCE_UNAVAILABLE, message, retry_after=retry_after)


class DocumentUnavailable(SourceUnavailable):
    """One document cannot be read, though its source answers: others may well be."""


class IllegalMove(EtterError):
    """A change of state that the lifecycle table forbids; nothing was written."""

    def __init__(self, what: str, current: str, target: str) -> None:
        super().__init__(ErrorCode.INTERNAL_ERROR, f"{what} cannot move from {current} to {target}")
        self.current = current
        self.target = target


class LeaseLost(Exception):
    """A write came with a fencing token that is no longer the newest; nothing was written."""


class Postponed(Exception):
    """Nothing can go on with a push now: its assessor is left alone, or its budget is spent.

    The push goes back to its place in the queue and no attempt counts.

    Args:
        message: Why, for people.
        code: What a caller who cannot wait is told.
        retry_after: Seconds after which it may go on, as far as that is known.
    """

    def __init__(self, message: str, *, code: ErrorCode, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class TransientError(Exception):
    """A failure for which trying again may help; the one retrying layer looks for this type.

    Args:
        message: What was tried and what came back.
        retry_after: Seconds the other side asked for, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
