"""How much a caller may ask: requests of a key, and wrong keys from one address."""

from __future__ import annotations

import logging
import math

from starlette.requests import HTTPConnection

from etter_dagster.api.counting import Counts
from etter_dagster.model.errors import ErrorCode, EtterError

WRONG_KEYS_PER_MINUTE = 20  # a person mistypes a few; a program that guesses is slowed down
log = logging.getLogger(__name__)


async def count_request(counts: Counts, key_id: str, limit: int | None) -> None:
    """Counts a request of a key.

    Args:
        counts: Of all processes.
        key_id: Whose.
        limit: Requests a minute; None: no limit.

    Raises:
        EtterError: `RATE_LIMITED`.
    """
    if limit is not None and (wait := await counts.hit(f"key:{key_id}", limit=limit)):
        raise _too_many(f"this key may ask {limit} times a minute", wait)


async def count_wrong_key(counts: Counts, connection: HTTPConnection) -> None:
    """Counts a wrong key; a right one from the same address still opens.

    Args:
        counts: Of all processes.
        connection: Where it came from.

    Raises:
        EtterError: `RATE_LIMITED`.
    """
    address = connection.client.host if connection.client else "unknown"
    if wait := await counts.hit(f"wrong:{address}", limit=WRONG_KEYS_PER_MINUTE):
        raise _too_many("too many wrong keys came from this address", wait)
    log.warning("a wrong API key came from %s", address)


def _too_many(what: str, wait: float) -> EtterError:
    seconds = math.ceil(wait)
    message = f"{what}; try again in {seconds} s"
    return EtterError(ErrorCode.RATE_LIMITED, message, retry_after=seconds)
