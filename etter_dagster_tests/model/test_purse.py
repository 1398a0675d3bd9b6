"""What a plan may spend: every budget counts, and what is owed already goes first."""

from __future__ import annotations

from datetime import datetime, timezone

from etter_dagster.model.ledger import MICRO
from etter_dagster.model.purse import Budget, Purse, purse_now
from etter_dagster.model.spending import Situation, SpendLimits

NOW = datetime(2026, 1, 5, 2, 0, tzinfo=timezone.utc)


def test_a_budget_that_does_not_cover_a_price_is_named_and_keeps_its_money() -> None:
    purse = Purse(day=2, month=10, companies={"Poor": 1})
    assert purse.take("Poor", 1) is None
    assert purse.take("Poor", 1) is Budget.COMPANY
    assert purse.left == 1
    assert purse.take("Rich", 1) is None
    assert purse.take("Rich", 1) is Budget.DAY
    assert Purse(day=2, month=1).take("Rich", 2) is Budget.MONTH


def test_an_unknown_price_is_covered_while_anything_is_left() -> None:
    """As the guard over paid calls sees it: it stops once the budget is spent."""
    assert Purse(day=0.5).take("Acme", None) is None
    assert Purse(day=0).take("Acme", None) is Budget.DAY
    assert Purse().take("Acme", 1e9) is None


def test_what_is_owed_goes_first() -> None:
    purse = Purse(day=5, month=50)
    purse.put_aside({"Acme": 2, "Other": 1})
    assert (purse.left, purse.aside) == (2, 3)
    purse.put_aside({"Acme": 10})
    assert (purse.left, purse.take("Acme", 1)) == (0, Budget.DAY)


def test_pushes_that_their_company_cannot_pay_take_nothing_from_others() -> None:
    """They wait for the next month; the day's money is for those who can use it."""
    purse = Purse(day=5, companies={"Poor": 1})
    purse.put_aside({"Poor": 100})
    assert (purse.left, purse.aside) == (4, 1)
    assert purse.take("Poor", 1) is Budget.COMPANY


def test_sums_are_exact() -> None:
    purse = Purse(day=0.3)
    assert [purse.take("Acme", 0.1) for _ in range(4)] == [None, None, None, Budget.DAY]


def test_the_purse_of_a_situation_has_what_is_not_reserved() -> None:
    limits = SpendLimits(per_day=10, companies={"Poor": 3})
    situation = Situation(at=NOW, day=4 * MICRO, companies={"Poor": 2 * MICRO, "Acme": MICRO})
    purse = purse_now(situation, limits)
    assert purse.left == 6
    assert [purse.take("Poor", 1) for _ in range(2)] == [None, Budget.COMPANY]
    assert purse_now(situation, SpendLimits()).left is None
