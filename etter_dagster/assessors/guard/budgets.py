"""Budgets of single companies: `budget_per_month` of their entries in `COMPANIES_FILE`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from etter_dagster.model.identity import normalize_name
from etter_dagster.watched_file import WatchedFile


class _Company(BaseModel):
    name: str
    budget_per_month: float | None = Field(None, ge=0)


_FILE = TypeAdapter(list[_Company])
log = logging.getLogger(__name__)


class CompanyBudgets:
    """The budgets of a file as they are now: it is read again when it changed.

    A file that became unreadable or broken changes nothing: the last good budgets stay.

    Args:
        path: The file; None: there is none.

    Raises:
        ValueError: It cannot be read at the start.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = WatchedFile(path, company_budgets) if path is not None else None
        self._budgets = self._file.read() if self._file else {}
        self._problem: str | None = None

    @property
    def now(self) -> Mapping[str, float]:
        """Money a month by company. Looking for a change costs microseconds."""
        problem = None
        try:
            self._budgets = self._file.read() if self._file else {}
        except ValueError as error:
            problem = str(error)
            if problem != self._problem:
                log.error("%s; the last good budgets stay", error)
        self._problem = problem
        return self._budgets


def company_budgets(path: Path | None) -> Mapping[str, float]:
    """Money a month by company, for those that have a budget of their own.

    Args:
        path: The file; None: there is none.

    Raises:
        ValueError: The file cannot be read, so no budget in it could be kept.
    """
    if path is None:
        return {}
    try:
        companies = _FILE.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ValueError(
            f"ETTER_COMPANIES_FILE cannot be read ({type(error).__name__}): give a JSON list of "
            "companies, each with its name and, if it has one, a budget_per_month of 0 or more"
        ) from None
    return {
        normalize_name(c.name): c.budget_per_month
        for c in companies
        if c.budget_per_month is not None
    }
