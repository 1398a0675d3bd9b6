"""Garbage collection while very many records are read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 200_000  # made between two collections; they are freed by their counts all the same


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collects garbage rarely meanwhile.

    Reading 100,000 roles makes millions of objects that die young and form no cycles; looking
    through them for cycles took three quarters of the time. The setting is the process's, so this
    is for sensors, plans and checks, not for REST.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _OBJECTS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
