"""Looking at companies some at a time, past those that fail."""

from __future__ import annotations

import time

import pytest

from etter_dagster.model.errors import SourceUnavailable, StoreUnavailable
from etter_dagster.onboarding.asking import ask
from etter_dagster.onboarding.rounds import Looked, Round, go_round

COMPANIES = ["c", "a", "b"]
SOON, PAST = time.monotonic() + 3600, 0.0


class Looker:
    def __init__(self, **errors: Exception) -> None:
        self.errors = errors
        self.seen: list[str] = []

    async def __call__(self, company: str) -> str:
        self.seen.append(company)
        if error := self.errors.get(company):
            raise error
        return company.upper()


async def go(round_: Round, looker: Looker, now: float = 0.0, until: float = SOON) -> Looked[str]:
    return await go_round(round_, COMPANIES, looker, now=now, until=until)


async def test_all_companies_are_looked_at_in_order() -> None:
    round_, looker = Round(), Looker()
    assert (await go(round_, looker)).results == {"a": "A", "b": "B", "c": "C"}
    assert looker.seen == ["a", "b", "c"]
    assert round_.after == ""


async def test_where_the_time_is_up_the_next_tick_goes_on() -> None:
    """One company at least, or a slow source would hold up its round for ever."""
    round_, looker = Round(), Looker()
    assert (await go(round_, looker, until=PAST)).left == 2
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
    assert "60 s" in found.failures["b"]
    assert "b" in (await go(round_, looker, now=1121.0)).results


async def test_a_store_that_is_away_ends_the_round() -> None:
    with pytest.raises(StoreUnavailable):
        await go(Round(), Looker(a=StoreUnavailable("graph")))


@pytest.mark.parametrize("text", [None, "", "x", "[]", '{"after": 1}', '{"pauses": 3}'])
def test_a_cursor_that_cannot_be_read_starts_over(text: str | None) -> None:
    assert Round.read(text) == Round()


async def test_a_source_that_hangs_is_given_up() -> None:
    """Its thread may hang for ever; nothing waits for it, not even the end of the loop."""
    with pytest.raises(SourceUnavailable, match=r"the source gave no answer within 0\.01 s"):
        await ask(time.sleep, 30, within=0.01, what="the source")
