"""A signal reaches the work in a run as a cancellation, once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from types import FrameType

import dagster as dg
import pytest

from etter_dagster.orchestration.serving_run import _interruptible


class Raised(BaseException):
    """What a handler from outside, like Dagster's, raises wherever the loop happens to be."""


@pytest.fixture(autouse=True)
def handler_of_others() -> Iterator[object]:
    def raises(number: int, frame: FrameType | None) -> None:
        raise Raised

    before = {n: signal.signal(n, raises) for n in (signal.SIGINT, signal.SIGTERM)}
    yield raises
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_end_the_giving_back_that_the_first_one_began(
    number: signal.Signals,
) -> None:
    """Whoever stops a machine signals more than once, and the leases would stay taken."""
    given_back: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(3600)
        finally:
            os.kill(os.getpid(), number)
            await asyncio.sleep(0.01)
            given_back.append("lease")

    with pytest.raises(dg.DagsterExecutionInterruptedError):
        _interruptible(work)
    assert given_back == ["lease"]


def test_the_handlers_from_before_stand_again_afterwards(handler_of_others: object) -> None:
    """Dagster reports the run's end after the op, and must be interruptible then as before."""

    async def work() -> int:
        assert signal.getsignal(signal.SIGTERM) is not handler_of_others
        return 7

    assert _interruptible(work) == 7
    assert signal.getsignal(signal.SIGTERM) is handler_of_others
    assert signal.getsignal(signal.SIGINT) is handler_of_others
    with pytest.raises(Raised):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_failure_of_the_work_is_no_interruption() -> None:
    async def work() -> None:
        raise LookupError("of the work")

    with pytest.raises(LookupError):
        _interruptible(work)
