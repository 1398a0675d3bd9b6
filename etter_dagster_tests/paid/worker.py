"""A serving process that a test may kill: `python -m etter_dagster_tests.paid.worker NAME`.

Serves the queue of the environment until it is told to stop.
"""

from __future__ import annotations

import asyncio
import sys

from etter_dagster.onboarding.reporting import Silent
from etter_dagster.onboarding.services import open_services
from etter_dagster.onboarding.serving import serve

PLACES = 60
FOREVER = 3600.0


async def main(name: str) -> None:
    services = open_services()
    await serve(
        services,
        worker=name,
        reporter=Silent(),
        places=PLACES,
        linger_seconds=FOREVER,
        claim_seconds=FOREVER,
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
