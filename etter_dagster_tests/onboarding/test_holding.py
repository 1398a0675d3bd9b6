"""Why nothing is started: a drain, an assessor that is left alone, money that is spent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from etter_dagster.model.breaker import Signal
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.ledger import CallId, NewAttempt
from etter_dagster.onboarding.holding import held_back
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.settings import Settings
from etter_dagster_tests.conftest import Clock


@pytest.fixture
async def paying(settings: Settings, clock: Clock, tmp_path: Path) -> AsyncIterator[Services]:
    """An assessor that is paid for: four a day for all, one a month for Acme."""
    companies = tmp_path / "companies.json"
    companies.write_text('[{"name": "Acme", "budget_per_month": 1}]')
    services = open_services(
        settings.with_changes(
            assessor="llm",
            llm_base_url="http://127.0.0.1:9/v1",
            llm_model="m",
            cost_per_assessment=1.0,
            budget_per_day=4.0,
            companies_file=companies,
        ),
        clock=clock,
    )
    yield services
    await services.close()


async def spend(services: Services, company: str, times: int) -> None:
    guard = services.assessors.guard
    assert guard is not None
    await services.ledger.beat("h", ttl_seconds=60)
    for n in range(times):
        subject = f"{company}-{n}"
        await services.ledger.take(subject, "h")
        call = CallId(
            key=subject, part="", subject=subject, assessor="llm", role_id="r", company_id=company
        )
        new = NewAttempt(call=call, workflow_id="w", holder="h", text_hash="")
        await services.ledger.begin(new, guard.limits)


async def test_where_work_goes_on_nothing_is_said(paying: Services) -> None:
    assert await held_back(paying) is None
    assert await held_back(paying, "Acme") is None


async def test_a_drain_is_named_with_its_remedy(paying: Services) -> None:
    await paying.queue.hold_claims(600)
    held = await held_back(paying)
    assert held is not None
    assert str(held) == (
        "claims are held by `etter drain`, for 600 s more; end that sooner with: etter drain --end"
    )
    await paying.queue.hold_claims(0)
    assert await held_back(paying) is None


async def test_a_spent_budget_says_until_when_and_which_setting(paying: Services) -> None:
    await spend(paying, "Globex", 4)
    held = await held_back(paying)
    assert held is not None
    assert "today's budget is spent" in held.message
    assert "ETTER_BUDGET_PER_DAY" in held.message
    assert "restart" in held.remedy


async def test_a_companys_own_budget_holds_that_company_only(paying: Services) -> None:
    """And is told to nobody else: who asks for all is not told of one company."""
    await spend(paying, "Acme", 1)
    held = await held_back(paying, "Acme")
    assert held is not None
    assert "Acme" in held.message
    assert await held_back(paying) is None
    assert await held_back(paying, "Globex") is None


async def test_an_assessor_that_is_left_alone_says_until_when(
    paying: Services, clock: Clock
) -> None:
    await paying.ledger.note("llm", Signal(ok=False, retry_after=90))
    held = await held_back(paying)
    assert held is not None
    assert held.message.startswith("no paid assessment begins: the assessor")
    assert f"{clock() + timedelta(seconds=90):%H:%M:%SZ}" in held.message
    assert "etter doctor" in held.remedy
    clock.tick(91)
    assert await held_back(paying) is None


async def test_a_store_that_is_away_is_no_reason_of_its_own(
    paying: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that needs the graph alone still comes, and `/health` says what is away."""

    async def away() -> float:
        raise StoreUnavailable("queue")

    monkeypatch.setattr(paying.queue, "claims_held", away)
    assert await held_back(paying) is None
