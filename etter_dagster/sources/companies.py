"""`COMPANIES_FILE`: the companies that the platform's APIs know, with their numbers and tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
)

from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.model.identity import name_problem, normalize_name
from etter_dagster.watched_file import WatchedFile

_SETTING = "ETTER_COMPANIES_FILE"


def _company_name(value: str) -> str:
    name = normalize_name(value)
    if problem := name_problem("name", name):
        raise ValueError(problem.message)
    return name


def _token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("is blank, or holds what no token has: spaces, line ends, non-ASCII")
    return SecretStr(token)


_Token = Annotated[SecretStr, AfterValidator(_token)]


class Company(BaseModel):
    """One company as the platform's APIs know it; its own tokens go before the general ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, AfterValidator(_company_name)]
    taxonomy_company_id: int = Field(ge=0)
    taxonomy_token: _Token | None = None
    documents_token: _Token | None = None
    # Kept by the guard over paid calls, which reads the file by itself; known here, so that a file
    # that has it is a right one.
    budget_per_month: float | None = Field(None, ge=0)


_COMPANIES = TypeAdapter(list[Company])


class CompaniesFile:
    """The companies of a file that is read again when it changed.

    Args:
        path: The file; None where there is none.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = WatchedFile(path, _read) if path is not None else None

    @property
    def configured(self) -> bool:
        """Whether there is such a file at all."""
        return self._file is not None

    def companies(self) -> Mapping[str, Company]:
        """All companies by name; none where no file is configured.

        Raises:
            SourceUnavailable: It cannot be read, or is wrong; says where, never a token.
        """
        return self._file.read() if self._file is not None else {}


def _read(path: Path) -> dict[str, Company]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _wrong(f"cannot be read ({error.strerror}); check its path and rights") from None
    try:
        listed = json.loads(data)
    except ValueError:
        raise _wrong("is not JSON") from None
    try:
        companies = _COMPANIES.validate_python(listed)
    except ValidationError as error:
        problems = "; ".join(_problem(found["loc"], found["msg"]) for found in error.errors())
        raise _wrong(problems) from None  # the original holds the tokens
    by_name = {company.name: company for company in companies}
    if len(by_name) < len(companies):
        names = [company.name for company in companies]
        twice = next(name for name in names if names.count(name) > 1)
        raise _wrong(f"names {twice} more than once")
    return by_name


def _problem(where: tuple[int | str, ...], message: str) -> str:
    if not where:
        return f"must be a list of {{name, taxonomy_company_id, ...}} ({message})"
    entry = f"entry {where[0] + 1}" if isinstance(where[0], int) else str(where[0])
    return " ".join([entry, *map(str, where[1:])]) + f": {message.removeprefix('Value error, ')}"


def _wrong(message: str) -> SourceUnavailable:
    return SourceUnavailable(f"{_SETTING} {message}")
