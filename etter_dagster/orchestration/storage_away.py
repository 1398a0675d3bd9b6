"""An outage of Dagster's storage as Etter's error of a store that is away.

Roles then are not failed by it: their pushes are given back, and walked again when it answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from etter_dagster.model.errors import StoreUnavailable

# Of psycopg2, which is loaded only where the storage is PostgreSQL: no connection, or a broken one.
_DRIVER, _OUTAGES = "psycopg2", ("OperationalError", "InterfaceError")


@contextmanager
def storage_away_said() -> Iterator[None]:
    """Errors of the block that an outage of PostgreSQL caused become ours.

    Raises:
        StoreUnavailable: The storage does not answer, or has closed the connection.
    """
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        raise StoreUnavailable("Dagster") from None  # the driver's text names the address


def is_outage(error: BaseException | None) -> bool:
    """Whether a broken connection is what it comes from: SQLAlchemy and Dagster wrap it.

    Args:
        error: What was raised.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for kind in type(error).__mro__:
            if kind.__module__.startswith(_DRIVER) and kind.__name__ in _OUTAGES:
                return True
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
    return False
