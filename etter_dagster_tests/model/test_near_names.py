from __future__ import annotations

import pytest

from etter_dagster.model.near_names import KnownNames

KNOWN = KnownNames(["Data Scientist", "Data Analyst", "Straße Cleaner", "Nurse"])


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("data scientist", "Data Scientist"),
        ("Data  Scientist", "Data Scientist"),
        ("STRASSE CLEANER", "Straße Cleaner"),
    ],
)
def test_case_and_white_space_are_looked_through(given: str, meant: str) -> None:
    assert KNOWN.same(given) == KNOWN.near(given) == meant


@pytest.mark.parametrize(
    ("given", "meant"), [("Data Sientist", "Data Scientist"), ("data analist", "Data Analyst")]
)
def test_a_slip_of_the_pen_is_near_and_not_the_same(given: str, meant: str) -> None:
    assert KNOWN.near(given) == meant
    assert KNOWN.same(given) is None


@pytest.mark.parametrize("given", ["Welder", "Data", "", "Nurse"])
def test_nothing_is_near_a_known_or_a_quite_different_name(given: str) -> None:
    assert KNOWN.near(given) is None
    assert KNOWN.same(given) is None


def test_a_known_name_is_meant_although_another_is_like_it() -> None:
    assert KnownNames(["Acme", "ACME"]).near("Acme") is None


def test_a_long_name_is_only_compared_as_a_whole() -> None:
    """To look among 5,000 names of 200 letters took 18 s, in which the service answered nobody."""
    known = KnownNames(["a" * 150])
    assert known.near("a" * 149 + "b") is None
    assert known.near("A" * 150) == "a" * 150
