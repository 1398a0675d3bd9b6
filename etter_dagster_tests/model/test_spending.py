"""Whether a paid call may begin: pure rules over what counts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.model.breaker import DOUBLED, REST_SECONDS, THRESHOLD, Breaker, Signal
from etter_dagster.model.ledger import MICRO
from etter_dagster.model.spending import Situation, SpendLimits, Why, budget_left, refuse, room

NOW = datetime(2026, 1, 31, 23, 0, tzinfo=timezone.utc)


def situation(**more: object) -> Situation:
    return Situation.model_validate({"at": NOW, **more})


def test_without_limits_anything_may_begin() -> None:
    assert refuse(situation(), SpendLimits(), company="Acme") is None
    assert room(situation(outstanding=9), SpendLimits()).calls is None
    assert budget_left(situation(day=5), SpendLimits()) is None


@pytest.mark.parametrize(
    ("limits", "until"),
    [
        ({"per_day": 1}, datetime(2026, 2, 1, tzinfo=timezone.utc)),
        ({"per_month": 1}, datetime(2026, 2, 1, tzinfo=timezone.utc)),
        ({"companies": {"Acme": 1}}, datetime(2026, 2, 1, tzinfo=timezone.utc)),
    ],
)
def test_a_spent_budget_says_when_it_goes_on(limits: dict[str, object], until: datetime) -> None:
    spent = situation(day=MICRO, month=MICRO, companies={"Acme": MICRO})
    limit = SpendLimits.model_validate({"cost": 0.5, **limits})
    refusal = refuse(spent, limit, company="Acme")
    assert refusal is not None
    assert (refusal.why, refusal.retry_at) == (Why.BUDGET, until)
    assert refusal.seconds_left == 3600


def test_a_budget_of_nothing_pays_nothing() -> None:
    assert refuse(situation(), SpendLimits(per_day=0, cost=0), company=None) is not None


def test_room_is_what_every_limit_leaves() -> None:
    """Calls outstanding count; a company that has spent its budget is closed by itself."""
    limits = SpendLimits(
        cost=2, concurrent=10, per_day=20, per_month=100, companies={"Acme": 4, "Other": 4}
    )
    found = room(situation(outstanding=3, day=12 * MICRO, companies={"Acme": 3 * MICRO}), limits)
    assert (found.closed, found.calls, found.closed_companies) == (None, 3 + 4, ("Acme",))
    assert budget_left(situation(day=12 * MICRO, month=95 * MICRO), limits) == 5


@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.sampled_from("abcdef"), st.integers(0, 400)),
        max_size=60,
    )
)
def test_the_breaker_never_stays_open_for_longer_than_it_may(
    steps: list[tuple[bool, bool, str, int]],
) -> None:
    """Whatever comes: it ends by itself, and a success closes it."""
    breaker, now = Breaker(), NOW
    for ok, repeated, mark, seconds in steps:
        breaker = breaker.after(Signal(ok=ok, mark=mark, repeated=repeated), now)
        if ok:
            assert breaker == Breaker()
        if breaker.open_until is not None:
            assert breaker.open_until - now <= timedelta(seconds=REST_SECONDS * 2**DOUBLED)
        assert len(breaker.failing) <= THRESHOLD
        now += timedelta(seconds=seconds)


def after(*signals: Signal) -> Breaker:
    breaker = Breaker()
    for signal in signals:
        breaker = breaker.after(signal, NOW)
    return breaker


def failed(mark: str, *, repeated: bool = False, away: bool = False) -> Signal:
    return Signal(ok=False, mark=mark, repeated=repeated, away=away)


def test_roles_that_always_fail_do_not_stop_the_others_for_ever() -> None:
    """Fifty of them alone at the end of a batch would each wait for a probe of their own."""
    assert not after(*(failed(f"r{n}", repeated=True) for n in range(50))).is_open(NOW)
    assert after(*(failed(f"r{n}") for n in range(THRESHOLD))).is_open(NOW)


def test_refused_connections_open_sooner() -> None:
    assert after(*(failed(str(n), away=True, repeated=True) for n in range(3))).is_open(NOW)


def test_only_fresh_roles_make_the_rest_longer() -> None:
    opened = after(*(failed(f"r{n}") for n in range(THRESHOLD)))
    assert opened.open_until is not None
    later = opened.open_until
    again = opened.after(failed("r1", repeated=True), later)
    assert again.open_until == later + timedelta(seconds=REST_SECONDS)
    fresh = opened.after(failed("new"), later)
    assert fresh.open_until == later + timedelta(seconds=2 * REST_SECONDS)
