"""Looking at companies some at a time, past those that fail."""

from __future__ import annotations

import asyncio
import time

import pytest

from etter_dagster.model.errors import SourceUnavailable, StoreUnavailable
from etter_dagster.onboarding.asking import ask
from etter_dagster.onboarding.rounds import Looked, Round, go_round
from etter_dagster.onboarding.tick_time import TickTime

COMPANIES = ["c", "a", "b"]


class Looker:
    def __init__(self, **errors: Exception) -> None:
        self.errors = errors
        self.seen: list[str] = []

    async def __call__(self, company: str) -> str:
        self.seen.append(company)
        if error := self.errors.get(company):
            raise error
        return company.upper()


async def go(round_: Round, looker: Looker, now: float = 0.0, work: float = 3600.0) -> Looked[str]:
    limit = TickTime(work, 3600)
    return await go_round(round_, COMPANIES, looker, now=now, limit=limit)


async def test_all_companies_are_looked_at_in_order() -> None:
    round_, looker = Round(), Looker()
    assert (await go(round_, looker)).results == {"a": "A", "b": "B", "c": "C"}
    assert looker.seen == ["a", "b", "c"]
    assert round_.after == ""


async def test_where_the_time_is_up_the_next_tick_goes_on() -> None:
    """One company at least, or a slow source would hold up its round for ever."""
    round_, looker = Round(), Looker()
    assert (await go(round_, looker, work=0)).left == 2
    round_ = Round.read(round_.write())
    await go(round_, looker)
    assert looker.seen == ["a", "b", "c"]


async def test_one_companys_failure_stops_no_other() -> None:
    round_, looker = Round(), Looker(b=ValueError("secret"))
    found = await go(round_, looker)
    assert list(found.results) == ["a", "c"]
    assert found.failures == {"b": "ValueError"}, "an unknown error's text may hold anything"


async def test_a_source_is_not_asked_before_the_time_it_names() -> None:
    round_, looker = Round(), Looker(b=SourceUnavailable("busy", retry_after=120))
    await go(round_, looker, now=1000.0)
    looker.errors.clear()
    looker.seen.clear()
    round_ = Round.read(round_.write())
    found = await go(round_, looker, now=1060.0)
    assert looker.seen == ["a", "c"]
    assert found.failures["b"] == "busy; not asked for another 60 s", "each tick says why"
    assert "b" in (await go(round_, looker, now=1121.0)).results
    assert (round_.pauses, round_.reasons) == ({}, {})


async def test_a_store_that_is_away_ends_the_round() -> None:
    with pytest.raises(StoreUnavailable):
        await go(Round(), Looker(a=StoreUnavailable("graph")))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "[]",
        '{"after": 1}',
        '{"pauses": 3}',
        '{"pauses": {}, "after": "", "drafts": 0, "reasons": 1}',
    ],
)
def test_a_cursor_that_cannot_be_read_starts_over(text: str | None) -> None:
    assert Round.read(text) == Round()


async def test_a_source_that_hangs_is_given_up() -> None:
    """Its thread may hang for ever; nothing waits for it, not even the end of the loop."""
    with pytest.raises(SourceUnavailable, match=r"the source gave no answer within 0\.01 s"):
        await ask(time.sleep, 30, within=0.01, what="the source")


# -- the time of a tick ---------------------------------------------------------------------------
async def test_what_a_source_takes_is_not_the_ticks_own_work() -> None:
    """Or a slow source would let a tick see fewer companies than a quick one does."""
    limit = TickTime(0.5, 3600)
    await limit.ask(time.sleep, 0.6, what="the source")
    after_the_source = limit.over
    await asyncio.sleep(0.6)
    assert (after_the_source, limit.over) == (False, True)
    assert not limit.with_more(3600).over


async def test_a_slow_source_ends_a_tick_all_the_same() -> None:
    limit = TickTime(3600, 0.1)
    await limit.ask(time.sleep, 0.2, what="the source")
    assert limit.over
