"""What a person who waits is told while nothing is started: why, and what helps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from etter_dagster.cli.output import clean, say
from etter_dagster.model.errors import EtterError

if TYPE_CHECKING:
    from etter_dagster.cli.calling import Service

LOOK_SECONDS = 5.0
_STILL = "nothing is started now; {}"


def held_back(service: Service) -> str | None:
    """Why the service starts nothing now; None where it does, or cannot be asked.

    Args:
        service: The service.
    """
    try:
        held = service.health().components.get("claims")
    except (EtterError, RuntimeError):  # away, or closed: the waiting is over
        return None
    return clean(held) if held is not None else None


def tell_if_held(service: Service) -> None:
    """Says why nothing is started now, if so.

    Args:
        service: The service.
    """
    if (held := held_back(service)) is not None:
        say(_STILL.format(held))


@contextmanager
def telling_of_holds(service: Service) -> Iterator[None]:
    """Says, while the block waits, when work is held back and when it goes on.

    Args:
        service: The service.
    """
    over = threading.Event()

    def look() -> None:
        told = False
        while True:
            held = held_back(service)
            if held is not None and not told:
                say(_STILL.format(held))
            elif held is None and told:
                say("work goes on")
            told = held is not None
            if over.wait(LOOK_SECONDS):
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
