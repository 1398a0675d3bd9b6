from etter_dagster_tests.api.conftest import rest, settings

__all__ = ["rest", "settings"]
