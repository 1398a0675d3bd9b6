"""Metrics of paid assessments, as the ledger holds them at the scrape. No company is a label."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from etter_dagster.model.ledger import Outcome, Spending
from etter_dagster.model.spending import Room
from etter_dagster.onboarding.services import Services


async def paid_state(services: Services) -> PaidState | None:
    """What the ledger says now; None where nothing is paid for.

    Args:
        services: Whose ledger is read.
    """
    guard = services.assessors.guard
    if guard is None:
        return None
    return PaidState(
        await services.ledger.spending(), await guard.room(), await guard.budget_left()
    )


class PaidState:
    """What the ledger said, as metric families."""

    def __init__(self, spending: Spending, room: Room, left: float | None) -> None:
        self._spending = spending
        self._room = room
        self._left = left

    def collect(self) -> Iterator[Metric]:
        """The families."""
        calls = GaugeMetricFamily(
            "etter_paid_calls", "Attempts at paid calls in the ledger", labels=["outcome"]
        )
        for outcome in Outcome:
            calls.add_metric([outcome.value], self._spending.attempts.get(outcome.value, 0))
        yield calls
        yield CounterMetricFamily(
            "etter_assessment_cost", "Money for paid calls, ever", value=self._spending.cost
        )
        spent = GaugeMetricFamily(
            "etter_budget_spent", "Money of the period, reserved included", labels=["period"]
        )
        spent.add_metric(["day"], self._spending.day)
        spent.add_metric(["month"], self._spending.month)
        yield spent
        if self._left is not None:
            yield GaugeMetricFamily(
                "etter_budget_left", "Money that may still be spent today", value=self._left
            )
        closed = self._room.closed
        why = GaugeMetricFamily(
            "etter_assessor_closed", "Whether no paid call may begin now", labels=["why"]
        )
        for reason in ("breaker", "paused", "budget"):
            why.add_metric([reason], closed is not None and closed.why.value == reason)
        yield why
