"""Budgets of single companies: `budget_per_month` of their entries in `COMPANIES_FILE`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from etter_dagster.model.identity import normalize_name


class _Company(BaseModel):
    name: str
    budget_per_month: float | None = Field(None, ge=0)


_FILE = TypeAdapter(list[_Company])


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
