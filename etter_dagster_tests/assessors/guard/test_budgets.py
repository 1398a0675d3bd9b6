"""Budgets of companies out of `COMPANIES_FILE`."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.assessors.guard.budgets import CompanyBudgets, company_budgets
from etter_dagster.sources.companies import CompaniesFile


def test_companies_without_a_budget_have_no_limit(tmp_path: Path) -> None:
    file = tmp_path / "companies.json"
    file.write_text(
        '[{"name": " Acme ", "budget_per_month": 5, "taxonomy_company_id": 1}, {"name": "Other"}]'
    )
    assert company_budgets(file) == {"Acme": 5}
    assert company_budgets(None) == {}


def test_a_file_with_budgets_is_read_by_the_sources_too(tmp_path: Path) -> None:
    """One file for both: the sources once refused what the guard asks for."""
    file = tmp_path / "companies.json"
    file.write_text('[{"name": "Acme", "budget_per_month": 5, "taxonomy_company_id": 1}]')
    assert set(CompaniesFile(file).companies()) == set(company_budgets(file)) == {"Acme"}


def test_budgets_follow_their_file_and_the_last_good_ones_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A raise needs no restart, and a slip of the pen neither stops the work nor lifts a limit."""
    file = tmp_path / "companies.json"
    file.write_text('[{"name": "Acme", "budget_per_month": 5}]')
    budgets = CompanyBudgets(file)
    assert budgets.now == {"Acme": 5}
    file.write_text('[{"name": "Acme", "budget_per_month": 500}]')
    assert budgets.now == {"Acme": 500}
    file.write_text('[{"name": "Acme", "budget')
    assert budgets.now == budgets.now == {"Acme": 500}
    assert [r.levelname for r in caplog.records] == ["ERROR"], "once a change"
    file.unlink()
    assert budgets.now == {"Acme": 500}
    file.write_text("[]")
    assert budgets.now == {}
    assert CompanyBudgets(None).now == {}


@pytest.mark.parametrize("text", ["", "{}", '[{"name": "A", "budget_per_month": -1}]', "[3]"])
def test_a_file_that_cannot_be_read_is_no_budget_without_limit(tmp_path: Path, text: str) -> None:
    """Spending on because of a comma would be the wrong way to fail."""
    file = tmp_path / "companies.json"
    file.write_text(text)
    with pytest.raises(ValueError, match="ETTER_COMPANIES_FILE"):
        company_budgets(file)
    with pytest.raises(ValueError, match="ETTER_COMPANIES_FILE"):
        company_budgets(tmp_path / "missing.json")
