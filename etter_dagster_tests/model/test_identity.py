"""Who a role is: its id follows from its names, and from nothing else."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from etter_dagster.model.identity import (
    MAX_NAME,
    derived_workflow_id,
    is_role_id,
    is_workflow_id,
    name_problem,
    new_batch_id,
    new_operation_id,
    new_workflow_id,
    normalize_name,
    role_id,
    slug,
)

# Also control characters and lone surrogates: an id is asked for before names are checked.
ANY_TEXT = st.text(st.characters(), max_size=60)
# Few letters, so that boundaries, white space and case collide often.
CLOSE_TEXT = st.text("aAb -\0\u0301é", max_size=6)
NAMES = st.one_of(ANY_TEXT, CLOSE_TEXT)
WHITE = st.text(" \t\n\u00a0\u2003", max_size=4)


@given(NAMES, NAMES, NAMES, NAMES)
@example("A", "B C", "A B", "C")
@example("AB", "C", "A", "BC")
@example("", "A", "A", "")
@example("Acme", "Analyst", "acme", "analyst")
@example("Acme", "Data  Analyst", "Acme", "Data Analyst")
@example("Café", "x", "Cafe", "x")
def test_no_two_pairs_of_names_share_a_role_id(
    company: str, role: str, other_company: str, other_role: str
) -> None:
    """Two roles with one id would overwrite each other's assessments."""
    pair = normalize_name(company), normalize_name(role)
    other = normalize_name(other_company), normalize_name(other_role)
    assume(pair != other)
    assert role_id(company, role) != role_id(other_company, other_role)


@given(st.text(max_size=8), st.text(max_size=8), st.integers(0, 16), st.integers(0, 16))
def test_moving_the_boundary_between_the_names_gives_another_id(
    company: str, role: str, cut: int, other_cut: int
) -> None:
    """A hash over the plain concatenation would confuse ("A", "B C") with ("A B", "C")."""
    both = company + role
    first = both[:cut], both[cut:]
    second = both[:other_cut], both[other_cut:]
    assume(tuple(map(normalize_name, first)) != tuple(map(normalize_name, second)))
    assert role_id(*first) != role_id(*second)


@given(NAMES, NAMES, st.sampled_from(["NFC", "NFD"]), WHITE, WHITE)
def test_the_same_pair_has_one_id_in_every_encoding_form_and_however_padded(
    company: str, role: str, form: str, before: str, after: str
) -> None:
    """macOS sends decomposed names, spreadsheets padded ones; both mean the same role."""
    # A mark at a name's start would combine with nothing but the padding.
    assume(not any(name[:1] and unicodedata.combining(name[0]) for name in (company, role)))

    def same(name: str) -> str:
        return before + unicodedata.normalize(form, name) + after  # type: ignore[arg-type]

    assert role_id(same(company), same(role)) == role_id(company, role)


@given(NAMES)
def test_normalizing_twice_changes_nothing_more(name: str) -> None:
    """Names pass several layers that each normalize."""
    assert normalize_name(normalize_name(name)) == normalize_name(name)


@given(NAMES, NAMES)
def test_a_role_id_has_the_form_of_the_contract(company: str, role: str) -> None:
    """It is a partition key and part of a URL: Dagster refuses some characters there."""
    made = role_id(company, role)
    assert re.fullmatch(r"cr-[a-z0-9-]{1,40}-[a-z0-9-]{1,40}-[0-9a-f]{12}", made)
    assert made.startswith(f"cr-{slug(company)}-{slug(role)}-")
    assert is_role_id(made)


def test_ids_stay_what_they_were() -> None:
    """Stored ids: another hash or slug would orphan every role that is known already."""
    assert role_id("Liberty Mutual", "Claims Adjuster") == (
        "cr-liberty-mutual-claims-adjuster-4f11a2b6a2c1"
    )
    assert role_id("Müller & Söhne", "Café Manager") == "cr-muller-sohne-cafe-manager-8b3d673db6dd"
    assert role_id("株式会社", "役員") == "cr-x-x-b85d14c81e82"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Claims Adjuster", "claims-adjuster"),
        ("UPPER", "upper"),
        ("a  &  b / c", "a-b-c"),
        ("Café", "cafe"),
        ("ﬁling Ⅳ", "filing-iv"),
        ("K9 ²", "k9-2"),
        ("--a--", "a"),
        ("C++", "c"),
        ("", "x"),
        ("!?", "x"),
        ("役員", "x"),
        ("a" * 41, "a" * 40),
        ("a" * 39 + " b", "a" * 39),
        ("a" * 40 + " b", "a" * 40),
    ],
)
def test_a_slug_is_short_ascii_that_a_person_can_read(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(NAMES)
def test_a_slug_holds_only_letters_digits_and_single_dashes(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(name))
    assert len(slug(name)) <= 40
    assert slug(slug(name)) == slug(name)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", "is blank"),
        ("a" * 201, "has 201 characters; at most 200"),
        ("a\0b", "U+0000"),
        ("a\tb", "U+0009"),
        ("a\x7fb", "U+007F"),
        ("a\x85b", "U+0085"),
        ("a\ud800b", "U+D800"),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused_with_field_and_remedy(name: str, part: str) -> None:
    problem = name_problem("role_name", name)
    assert problem is not None
    assert problem.field == "role_name"
    assert part in problem.message


@pytest.mark.parametrize("name", ["R&D / 100 % \"Lead\" 'x'", "役員", "𝒜 👩‍💻", "a" * MAX_NAME])
def test_names_of_real_companies_are_taken(name: str) -> None:
    """`/`, `&`, `%`, quotes and non-ASCII stand in real role names."""
    assert name_problem("role_name", normalize_name(name)) is None


@given(ANY_TEXT)
def test_a_name_is_refused_exactly_for_the_reasons_of_the_contract(text: str) -> None:
    name = normalize_name(text)
    strange = any(unicodedata.category(char) in ("Cc", "Cs") for char in name)
    refused = name_problem("company_id", name) is not None
    assert refused == (not name or len(name) > MAX_NAME or strange)


@pytest.mark.parametrize(
    "text",
    [
        "role-onboard-0123456789a",
        "role-onboard-0123456789abc",
        "role-onboard-0123456789AB",
        "role-onboard-0123456789ab\n",
        "batch-0123456789ab",
        "",
    ],
)
def test_what_is_no_workflow_id_is_told_apart(text: str) -> None:
    assert not is_workflow_id(text)


@pytest.mark.parametrize(
    "text",
    ["cr-a-b-0123456789a", "cr--b-0123456789ab", "a-b-0123456789ab", "cr-a-b-0123456789ab\n"],
)
def test_what_is_no_role_id_is_told_apart(text: str) -> None:
    assert not is_role_id(text)


def test_fresh_ids_have_their_form_and_differ() -> None:
    assert is_workflow_id(new_workflow_id())
    assert re.fullmatch("batch-[0-9a-f]{12}", new_batch_id())
    assert re.fullmatch("operation-[0-9a-f]{12}", new_operation_id())
    for make in (new_workflow_id, new_batch_id, new_operation_id):
        assert len({make() for _ in range(100)}) == 100


@given(st.lists(NAMES, min_size=1, max_size=3), st.lists(NAMES, min_size=1, max_size=3))
@example(["a", "b\0c"], ["a\0b", "c"])
@example(["ab", "c"], ["a", "bc"])
def test_derived_ids_follow_from_their_parts_and_from_nothing_else(
    parts: list[str], others: list[str]
) -> None:
    """The caller works them out beforehand; two callers' keys must not meet in one push."""
    made = derived_workflow_id(*parts)
    assert is_workflow_id(made)
    assert (made == derived_workflow_id(*others)) == (parts == others)
