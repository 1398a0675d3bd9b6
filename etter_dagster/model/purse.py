"""What a plan may still spend: every budget, less what accepted pushes will cost. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from etter_dagster.model.ledger import MICRO
from etter_dagster.model.spending import Situation, SpendLimits


class Budget(str, Enum):
    """Which budget does not cover something."""

    DAY = "day"
    MONTH = "month"
    COMPANY = "company"


class Purse:
    """Money left in each budget; whole millionths, so that sums are exact.

    Args:
        day: Left today; None: any.
        month: Left this month; None: any.
        companies: Left this month of companies that have a budget of their own.
    """

    def __init__(
        self,
        *,
        day: float | None = None,
        month: float | None = None,
        companies: Mapping[str, float] | None = None,
    ) -> None:
        self._left = {
            budget: round(money * MICRO)
            for budget, money in ((Budget.MONTH, month), (Budget.DAY, day))
            if money is not None
        }
        self._companies = {name: round(money * MICRO) for name, money in (companies or {}).items()}
        self._aside = 0

    @property
    def left(self) -> float | None:
        """What the day and the month still cover; None: anything."""
        return max(0, min(self._left.values())) / MICRO if self._left else None

    @property
    def aside(self) -> float:
        """What was put aside."""
        return self._aside / MICRO

    def copy(self) -> Purse:
        """One that may be spent while this one stays as it is."""
        purse = Purse()
        purse._left, purse._companies = dict(self._left), dict(self._companies)
        purse._aside = self._aside
        return purse

    def put_aside(self, owed: Mapping[str, float]) -> None:
        """Keeps money for pushes that were accepted before.

        Those that their company's budget does not cover take nothing from the others: they wait.

        Args:
            owed: What they will cost, by company.
        """
        for company, money in owed.items():
            due = round(money * MICRO)
            if company in self._companies:
                due = max(0, min(due, self._companies[company]))
            self._aside += due
            self._take(company, due)

    def take(self, company: str, price: float | None) -> Budget | None:
        """Takes a price out of every budget it counts for, unless one does not cover it.

        Args:
            company: Whose assessment it is.
            price: Of it; None where nobody knows, which is covered while anything is left.

        Returns:
            The budget that does not cover it; nothing was taken then.
        """
        cost = round((price or 0.0) * MICRO)
        for budget, left in self._left.items():
            if left < max(1, cost):
                return budget
        if company in self._companies and self._companies[company] < max(1, cost):
            return Budget.COMPANY
        self._take(company, cost)
        return None

    def _take(self, company: str, cost: int) -> None:
        for budget in self._left:
            self._left[budget] -= cost
        if company in self._companies:
            self._companies[company] -= cost


def purse_now(situation: Situation, limits: SpendLimits) -> Purse:
    """What the budgets still hold, reserved money gone.

    Args:
        situation: What counts.
        limits: What is allowed.
    """

    def left(cap: float | None, spent: int) -> float | None:
        return None if cap is None else cap - spent / MICRO

    return Purse(
        day=left(limits.per_day, situation.day),
        month=left(limits.per_month, situation.month),
        companies={
            company: cap - situation.companies.get(company, 0) / MICRO
            for company, cap in limits.companies.items()
        },
    )
