"""A Dagster instance of the test's own, as in the tests of `orchestration`."""

from etter_dagster_tests.orchestration.conftest import home, instance, storage

__all__ = ["home", "instance", "storage"]
