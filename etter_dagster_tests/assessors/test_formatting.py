"""Any text gets the headings of a JD, and no sentence of it is lost on the way."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etter_dagster.assessors.exposure.cleaning import clean
from etter_dagster.assessors.exposure.reading import read_tasks
from etter_dagster.assessors.formatting.form import is_formatted
from etter_dagster.assessors.formatting.jd import format_jd
from etter_dagster.assessors.formatting.losses import lost_sentences
from etter_dagster.sample_data import __file__ as samples
from etter_dagster_tests.assessors.layouts import LAYOUTS, NO_TASKS

EXAMPLES = Path(__file__).parents[2] / "examples" / "occupation-pages"
PAGES = sorted(EXAMPLES.glob("*.md"))
HEADINGS = re.compile(r"#{1,4} ")
# Headings that the JD's own replace may go: the only words that a formatted text may lack.
MAY_GO = frozenset(
    re.findall(
        r"\w+",
        """a about abilities accountabilities activities and are be bring certifications
        competencies
        core criteria day description do doing duties education essential experience for functions
        general haves include including job key knowledge licenses ll looking main minimum must of
        opportunity our overview person position principal purpose qualification qualifications re
        required requirement requirements responsibilities role skills specification summary tasks
        the this to typical we what who will work you your""",
    )
)


def words(text: str) -> Counter[str]:
    text = re.sub(r"\]\([^)\s]*\)", "]", text)
    return Counter(re.findall(r"[^\W_]+", re.sub(r"[*_]", "", text.casefold())))


def lost_words(before: str, after: str) -> set[str]:
    # Markers of numbered lists may go.
    before = re.sub(r"(?m)^\W*\d{1,3}(?:\.\d{1,2})*[.):]?\s+(?=\S)", "", clean(before))
    return set(words(before) - words(after)) - MAY_GO


def sentences_of(text: str) -> list[str]:
    """Line by line, on purpose not as the formatter reads."""
    found = []
    for line in clean(text).split("\n"):
        line = re.sub(r"^\s*(?:#{1,6}|[-*•✅]|\(?\d{1,3}(?:\.\d+)*[.)]?)\s+", "", line)
        found += re.split(r"(?<=[.!?])\s+|\s*\|\s*|\t", line)
    return [one for one in found if one.strip()]


def folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def assert_nothing_lost(text: str) -> None:
    made = format_jd(text)
    assert lost_words(text, made) == set()
    assert lost_sentences(text, made) == []
    assert is_formatted(made)
    assert format_jd(made) == made


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_word_of_an_occupation_page_is_lost(page: Path) -> None:
    assert_nothing_lost(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("layout", [*LAYOUTS, *NO_TASKS])
def test_no_word_of_any_layout_is_lost(layout: str) -> None:
    document = LAYOUTS[layout].text if layout in LAYOUTS else NO_TASKS[layout]
    assert_nothing_lost(document)


def test_every_sentence_of_the_pages_stands_in_one_piece() -> None:
    """The words alone could be there in any order."""
    broken = [
        (page.stem, sentence)
        for page in PAGES
        for text in [page.read_text(encoding="utf-8")]
        for made in [folded(format_jd(text))]
        for sentence in sentences_of(text)
        if folded(sentence) not in made and not set(words(sentence)) <= MAY_GO
    ]
    assert len(PAGES) >= 180
    assert broken == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_tasks_that_are_read_stay_the_same(layout: str) -> None:
    """People and the assessor must see the same work; order may follow the new headings."""
    before = {task.text.casefold() for task in read_tasks(LAYOUTS[layout].text)}
    after = {task.text.casefold() for task in read_tasks(format_jd(LAYOUTS[layout].text))}
    kept = {task for task in before if any(folded(task) in folded(other) for other in after)}
    assert kept == before


LINES = st.sampled_from(
    [
        "## Responsibilities",
        "Requirements:",
        "**Nice to have**",
        "ABOUT US",
        "- Prepare the payroll",
        "• Bachelor's degree preferred",
        "2. Check invoices. Pay them",
        "3.1 Drive a lorry",
        "We have 5 years of experience in rockets.",
        "Location: Leeds",
        "| Tasks | Share |",
        "|---|---|",
        "| Pick orders | 40% |",
        "Benefits: Gym; pension",
        "  and a car",
        "Title line",
        "=====",
        "",
        "#hash",
        "# Nurse",
        "<b>Skills</b>",
        "e.g. this one. And Another! (yes)",
        "1. Key Duties",
    ]
)
PIECES = st.lists(st.one_of(LINES, st.text(alphabet="abC. :-#|*1)\t", max_size=30)), max_size=25)


@settings(max_examples=300, deadline=None)
@given(PIECES)
@example(["## Responsibilities", "1", "C", "- Prepare the payroll"])
@example(["## Responsibilities", "5 machines", "- Keep them running"])
@example(["## Responsibilities", "#1 :"])
@example(["## Responsibilities", "1:", "  and a car", "- Prepare the payroll"])
def test_no_sentence_of_any_pieces_of_text_is_lost(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    made = format_jd(text)
    assert lost_sentences(text, made) == []
    assert is_formatted(made)
    assert format_jd(made) == made


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_at_all_is_taken_and_formatting_twice_changes_nothing(text: str) -> None:
    made = format_jd(text)
    assert is_formatted(made)
    assert format_jd(made) == made


def test_a_jd_in_the_form_already_is_given_back_as_it_is() -> None:
    for path in (Path(samples).parent / "job_descriptions").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert format_jd(text) == text


def test_the_headings_are_those_of_a_jd_in_their_order() -> None:
    made = format_jd(LAYOUTS["bullets"].text)
    assert [line for line in made.split("\n") if HEADINGS.match(line)] == [
        "# Senior Accountant",
        "## Overview",
        "### About us",
        "### Benefits",
        "## Key Responsibilities",
        "## Requirements",
        "### Education",
        "### Experience",
        "### Skills",
    ]


def test_what_is_only_preferred_stays_marked_as_that() -> None:
    """A wish must not become a requirement."""
    made = format_jd("# T\n## Preferred qualifications\n### Technical\n- SQL\n### Formal\n- MBA\n")
    assert "#### Preferred qualifications – Technical\n\n- SQL" in made
    assert "#### Preferred qualifications – Formal\n\n- MBA" in made


def test_a_text_without_a_title_takes_the_roles_name() -> None:
    assert format_jd("- Drive a van in town\n", title="Van Driver").startswith("# Van Driver\n")
    assert format_jd("", title=None) == "# Job Description\n"


def test_a_long_text_is_formatted_in_linear_time() -> None:
    """A document may be 2 MiB of anything."""
    text = "Requirements:\n" + "- Check invoice. Pay it (e.g. today)\n" * 30_000
    assert format_jd(text).count("Check invoice") == 30_000


def test_a_lost_sentence_is_noticed() -> None:
    """The check that LLM-made texts must pass is one that can fail."""
    text = LAYOUTS["bullets"].text
    made = format_jd(text).replace("- Support the annual audit\n", "")
    assert lost_sentences(text, made) == ["Support the annual audit"]
