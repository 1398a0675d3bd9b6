"""Bodies that callers send, and the error body; answers are the onboarding layer's own views."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    field_validator,
)
from pydantic_core import PydanticCustomError

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import ErrorCode, FieldProblem, ValidationFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Source, WorkflowOptions

MAX_CREATED_BY = 200
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_RELATIVE = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII | re.IGNORECASE
)
_DATETIME = TypeAdapter(datetime)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_JD = "# Claims Adjuster\n\n## Key Responsibilities\n\n- Inspect damaged property"
_PUSH: dict[str, Any] = {
    "company_id": "Liberty Mutual",
    "role_name": "Claims Adjuster",
    "documents": [{"type": "job_description", "content": _JD}],
    "draup_role_name": "Insurance Claims Specialist",
}


def _storable(value: Any) -> Any:
    """Refuses texts that no store can hold, with the 400 of other bad characters."""
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str) and _UNSTORABLE.search(text):
            # Pydantic's own type of a lone surrogate: answered with 400, as for bad names.
            raise PydanticCustomError("string_unicode", "holds what no store can hold")
    return value


class _Texts(BaseModel):
    _check_texts = field_validator("*")(_storable)


class _Body(_Texts):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentBody(_Texts, DocumentRef):
    """A document: its text in `content`, or where to fetch it in `uri`."""

    type: DocumentType

    @field_validator("metadata")
    @classmethod
    def _plain(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise ValueError(
                "must be plain JSON: no NaN, no lone surrogate, not too deep"
            ) from None
        return value


class OptionsBody(WorkflowOptions):
    """What a caller may choose; true or false, nothing that looks like it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("must be one line without control characters")
    return text


CreatedBy = Annotated[
    Annotated[str, Field(max_length=MAX_CREATED_BY), AfterValidator(_one_line)] | None,
    Field(description="Who asks; shown in history and audit."),
]


class PushBody(_Body):
    """One role to onboard or to assess again."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [_PUSH, {k: _PUSH[k] for k in ("company_id", "role_name")}]},
    )

    company_id: str = Field(description="The company's name.")
    role_name: str
    documents: tuple[DocumentBody, ...] | None = None
    draup_role_id: str | None = None
    draup_role_name: str | None = None
    options: OptionsBody | None = None
    created_by: CreatedBy = None


class BatchRoleBody(_Body):
    """One role of a batch."""

    company_id: str | None = Field(None, description="The batch's company, if left out.")
    role_name: str
    documents: tuple[DocumentBody, ...] | None = None
    draup_role_id: str | None = None
    draup_role_name: str | None = None


class BatchBody(_Body):
    """Many roles. Only this envelope is refused as a whole; a bad role is rejected by itself."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "company_id": "Liberty Mutual",
                    "roles": [{"role_name": "Claims Adjuster"}, {"role_name": "Underwriter"}],
                }
            ]
        },
    )

    company_id: str
    roles: Annotated[list[Any], Field(description="Each as in `BatchRoleBody`; at most 10,000.")]
    options: OptionsBody | None = None
    created_by: CreatedBy = None


class RetryBody(_Body):
    """Which failed pushes of a batch to push again; all of them, if left out."""

    workflow_ids: tuple[str, ...] | None = None
    options: OptionsBody | None = None


class RoleBody(_Body):
    """What a role is: its Draup role and its documents."""

    draup_role_id: str | None = None
    draup_role_name: str | None = None
    documents: tuple[DocumentBody, ...] | None = None
    created_by: CreatedBy = None


def _several(value: Any) -> Any:
    if value == []:  # whoever computed it means no push, and must not act on all of them
        raise ValueError("names no state; give at least one, or leave it out for any")
    return [value] if isinstance(value, str) else value


class FilterBody(_Body):
    """Which pushes; the same filter as `GET /pushes` has, and `dry_run`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"company": "Liberty Mutual", "state": "failed", "since": "24h"}]
        },
    )

    company: str | None = None
    state: Annotated[tuple[WorkflowState, ...] | None, BeforeValidator(_several)] = None
    error_code: str | None = None
    batch_id: str | None = None
    source: Source | None = None
    since: str | None = Field(None, description="RFC 3339, or how long ago: 90s, 30m, 24h, 7d, 2w.")
    until: str | None = Field(None, description="As `since`.")
    q: str | None = Field(None, description="Part of a role's name.")
    dry_run: bool = Field(False, strict=True, description="Only count.")


class FieldError(BaseModel):
    """One field and what is wrong with it."""

    field: str
    message: str


class ErrorDetail(BaseModel):
    """What went wrong; some codes add keys of their own (`workflow_id`, `rejected`, `trace_id`)."""

    model_config = ConfigDict(extra="allow")

    error: ErrorCode
    message: str
    recoverable: bool = Field(description="Whether the same request may succeed later.")
    fields: list[FieldError] | None = None


class ErrorBody(BaseModel):
    """The body of every error of every status."""

    detail: ErrorDetail


def moment(field: str, text: str | None, now: datetime) -> datetime | None:
    """A time of a filter; a relative one is resolved now.

    Args:
        field: The parameter's name.
        text: RFC 3339, or how long ago (`24h`).
        now: The present.

    Raises:
        ValidationFailed: It is neither.
    """
    if text is None:
        return None
    if relative := _RELATIVE.fullmatch(text):
        try:
            return now - timedelta(**{_UNITS[relative[2]]: int(relative[1])})
        except OverflowError:
            return datetime.min.replace(tzinfo=timezone.utc)
    # A `+` that was not encoded has become a space.
    time = text.replace(" ", "+")
    try:
        if not _TIME.fullmatch(time):
            raise ValueError(time)
        found = _DATETIME.validate_python(time)
        # In UTC at once, so that stores compare like with like.
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(
            timezone.utc
        )
    except (ValueError, OverflowError):
        raise ValidationFailed(
            FieldProblem(field, "is no time; give 2026-01-31T08:00:00Z, or how long ago: 24h, 7d")
        ) from None


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema without references, for places where FastAPI adds no components."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(parts[node["$ref"].rpartition("/")[2]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(item) for item in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved
