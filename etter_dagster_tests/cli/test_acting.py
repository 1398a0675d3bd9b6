"""`etter retry` and `etter cancel`."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster_tests.cli.conftest import Etter, Served


def pushed(etter: Etter, csv: Path) -> list[str]:
    return [row["workflow id"] for row in etter("push", "--file", csv).table]


@pytest.fixture
def failed(etter: Etter, service: Served, csv: Path) -> list[str]:
    """The workflow ids of two failed pushes."""
    ids = pushed(etter, csv)
    service.assessor.script += [AssessmentFailed("no tasks"), AssessmentFailed("no tasks")]
    service.work()
    return ids


def test_a_failed_push_is_retried_under_a_new_id(
    etter: Etter, service: Served, failed: list[str]
) -> None:
    ran = etter("retry", failed[0])
    assert ran.code == 0
    assert ran.stdout.strip() not in failed
    service.work()
    assert etter("status", ran.stdout.splitlines()[-1], "--json").json["status"] == "ready"


def test_all_failed_pushes_of_a_company_are_retried(
    etter: Etter, service: Served, failed: list[str]
) -> None:
    ran = etter("retry", "--company", "Acme", "--json")
    assert ran.code == 0
    assert (ran.json["matched"], ran.json["done"], ran.json["state"]) == (2, 2, "completed")
    service.work()
    assert len(etter("roles", "Acme", "--state", "ready").table) == 2


def test_one_push_queued_again_is_said_to_be_one_and_how_to_follow_it(
    etter: Etter, service: Served, failed: list[str]
) -> None:
    ran = etter("retry", failed[0])
    assert f"etter status {ran.stdout.strip()}" in ran.stderr
    ran = etter("retry", "--state", "failed")
    assert "1 push queued again" in ran.stderr
    assert etter("status", ran.stdout.splitlines()[-1], "--json").json["status"] == "queued"
    assert "etter roles COMPANY" in ran.stderr


def test_a_dry_run_lists_what_would_be_retried_and_changes_nothing(
    etter: Etter, failed: list[str]
) -> None:
    ran = etter("retry", "--error-code", "ASSESSMENT_FAILED", "--dry-run")
    assert ran.code == 0
    assert {row["workflow id"] for row in ran.table} == set(failed)
    assert "2 pushes" in ran.stderr
    assert len(etter("roles", "Acme", "--state", "failed").table) == 2
    assert etter("retry", "--q", "clerk", "--dry-run", "--json").json["total_count"] == 1


def test_queued_pushes_are_cancelled_one_a_batch_or_by_filter(
    etter: Etter, service: Served, csv: Path
) -> None:
    ids = pushed(etter, csv)
    assert etter("cancel", ids[0]).code == 0
    ran = etter("cancel", "--company", "Acme", "--since", "1h", "--json")
    assert (ran.code, ran.json["done"]) == (0, 1)
    batch = etter("push", "--file", csv, "--json").json["batch_ids"][0]
    assert etter("cancel", batch, "--dry-run", "--json").json["total_count"] == 2
    assert etter("cancel", batch).code == 0
    assert etter("status", batch, "--json").json["cancelled"] == 2


def test_what_cannot_be_done_is_1_with_the_reason(
    etter: Etter, service: Served, failed: list[str]
) -> None:
    cancelled = etter("cancel", failed[0])
    assert cancelled.code == 1
    assert "NOT_CANCELLABLE" in cancelled.stderr
    assert etter("cancel", failed[0], "--dry-run").code == 1
    assert etter("retry", failed[0], "--dry-run").code == 0
    assert etter("retry", failed[0]).code == 0
    again = etter("retry", failed[0])
    assert again.code == 1
    assert "NOT_RETRYABLE" in again.stderr


def test_what_was_skipped_of_many_is_listed_and_makes_it_1(
    etter: Etter, service: Served, failed: list[str]
) -> None:
    ran = etter("cancel", "--company", "Acme", "--state", "failed")
    assert ran.code == 1
    assert {row["skipped"] for row in ran.table} == set(failed)
    assert "0 of 2 done, 2 skipped" in ran.stderr


@pytest.mark.parametrize("command", ["retry", "cancel"])
@pytest.mark.parametrize(
    "arguments",
    [(), ("--dry-run",), ("role-onboard-000000000000", "--q", "x"), ("--state", "nonsense")],
)
def test_neither_everything_nor_a_mixture_is_acted_on(
    etter: Etter, command: str, arguments: tuple[str, ...]
) -> None:
    """`etter cancel` alone must not cancel all that waits."""
    assert etter(command, *arguments).code == 2


def test_a_time_that_is_none_is_2_and_names_the_option(etter: Etter, service: Served) -> None:
    ran = etter("cancel", "--since", "yesterday", "--json")
    assert ran.code == 2
    assert ran.error["fields"][0]["field"] == "since"
