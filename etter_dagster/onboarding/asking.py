"""Asking a source, which blocks its thread, within a bound."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from etter_dagster.model.errors import SourceUnavailable

T = TypeVar("T")
LEAST_SECONDS = 5.0  # that a source gets, also when the time for all is nearly over


async def ask(read: Callable[..., T], *given: object, within: float, what: str) -> T:
    """What a read gives, from a thread of its own; raises what it raises.

    Not one of the loop's own threads: the end of the loop would wait for one that hangs.

    Args:
        read: A provider's method.
        given: Its arguments.
        within: Seconds after which nobody waits any longer.
        what: The source, for the error.

    Raises:
        SourceUnavailable: No answer within the bound.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(act: Callable[..., None], result: object) -> None:
        if not answer.done():
            act(result)

    def run() -> None:
        try:
            result: object = read(*given)
            act: Callable[..., None] = answer.set_result
        except BaseException as error:
            result, act = error, answer.set_exception
        with contextlib.suppress(RuntimeError):  # the loop may have ended without us
            loop.call_soon_threadsafe(tell, act, result)

    threading.Thread(target=run, name="source", daemon=True).start()
    try:
        return await asyncio.wait_for(answer, within)
    except asyncio.TimeoutError:
        raise SourceUnavailable(f"{what} gave no answer within {within:g} s") from None


class AskingTime:
    """Seconds that the reads of several sources have together.

    Args:
        seconds: From now on.
        least: What each of them gets, also at the end.
    """

    def __init__(self, seconds: float, *, least: float) -> None:
        self._until = time.monotonic() + seconds
        self._least = least

    async def ask(self, read: Callable[..., T], *given: object, what: str) -> T:
        """What a read gives; raises what it raises.

        Args:
            read: A provider's method.
            given: Its arguments.
            what: The source, for the error.

        Raises:
            SourceUnavailable: No answer in time.
        """
        within = max(self._least, self._until - time.monotonic())
        return await ask(read, *given, within=within, what=what)
