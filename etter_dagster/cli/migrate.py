"""`etter migrate`: brings the stores to the version that this Etter works with."""

from __future__ import annotations

from etter_dagster.cli.service import Json


def migrate(json: Json = False) -> None:
    """Brings the stores to this version of Etter; changes nothing when repeated.

    Run it once before a new version starts; every process refuses to work on stores of another
    version.
    """
    import asyncio

    from etter_dagster.cli.output import print_json, print_table
    from etter_dagster.cli.store_settings import settings_of_stores
    from etter_dagster.stores import migrations

    done = asyncio.run(migrations.migrate(settings_of_stores()))
    if json:
        print_json({"stores": [store.model_dump() for store in done]})
    else:
        print_table(
            ["store", "before", "now"], [[store.store, store.before, store.now] for store in done]
        )
