"""What a printer puts around a page is not part of a job description; its lists stay lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.assessors.exposure.reading import read_tasks
from etter_dagster.extraction.pages import text_of_pages
from etter_dagster.extraction.pool import text_of
from etter_dagster_tests import papers

PRINTED = Path(__file__).parent / "printed"  # by Chromium, with its header and footer
LONG = "Document each visit in the ticket system, with the parts that were used and the time"


def test_one_page_printed_by_a_browser_gives_its_tasks() -> None:
    text = text_of("pdf", (PRINTED / "one-page.pdf").read_bytes())
    assert [(task.text, task.weight) for task in read_tasks(text)] == [
        ("Install and repair routers at customer sites", 1),
        (
            "Document each visit in the ticket system, with the parts that were used and the time"
            " that was spent, and with whatever else matters",
            1,
        ),
        ("Train new technicians", 1),
    ]


def test_pages_printed_by_a_browser_give_one_list() -> None:
    text = text_of("pdf", (PRINTED / "three-pages.pdf").read_bytes())
    assert text.splitlines() == [
        "Field Technician",
        "Responsibilities",
        "• Install and repair routers at customer sites",
        "• Document each visit in the ticket system",
        "• Train new technicians",
        "• Order spare parts from the central store",
        "• Answer questions of customers by telephone",
    ]


def test_bullets_that_a_browser_draws_are_bullets() -> None:
    """Chromium prints them as shapes: short items of a list were no tasks, or joined to others."""
    text = text_of("pdf", (PRINTED / "drawn-bullets.pdf").read_bytes())
    assert text.splitlines() == [
        "Sales Analyst",
        "Our team helps shops.",
        "Key Responsibilities",
        "• Prepare weekly sales reports",
        "• Talk to customers",
        "• Plan and run campaigns with the marketing team of every region, together with partners "
        "abroad, and report their results to the board each quarter",
        "• Test software",
        "• Write tests",
        "• Fix bugs",
        "Steps",
        "1. Open the mail",
        "2. Answer it",
        "Requirements",
        "• Degree",
    ]
    tasks = [task.text for task in read_tasks(text)]
    assert {"Talk to customers", "Write tests", "Fix bugs"} <= set(tasks)
    assert "Degree" not in tasks


@pytest.mark.parametrize(
    "line",
    [
        "11/26/26, 3:02 PM Field technician",
        "26.11.26, 15:02 Field technician",
        "2 of 3 11/26/2026, 3:02 PM",
        "https://jobs.example/42?print=1 1/1",
        "\ufb01le:///jobs/technician.html 1/1",
        "Page 1 of 3",
        "- 2 -",
        "7",
    ],
)
def test_what_a_browser_prints_at_an_edge_is_dropped(line: str) -> None:
    own = "Responsibilities\nRepair routers\nTrain new technicians\nOrder spare parts"
    assert text_of_pages([f"{line}\n{own}"]) == text_of_pages([f"{own}\n{line}"]) == own


@pytest.mark.parametrize(
    "line",
    [
        "Publish the report on https://jobs.example/42",
        "Answer 24/7 calls",
        "Close the books by 11/26",
        "12 weeks of training a year",
    ],
)
def test_a_task_at_an_edge_stays(line: str) -> None:
    assert line in text_of_pages([f"{line}\nRepair routers\n{line}"]).splitlines()


def test_what_comes_back_on_each_page_is_dropped_but_the_first_title() -> None:
    pages = [
        f"Acme Networks\nRepair router {word}\nTrain technician {word}\nConfidential, copy {n}"
        for n, word in enumerate(["alpha", "beta", "gamma"])
    ]
    lines = text_of_pages(pages).splitlines()
    assert lines.count("Acme Networks") == 1
    assert not any("Confidential" in line for line in lines)
    assert len(lines) == 7


def test_a_wrapped_item_is_joined_over_the_end_of_a_page() -> None:
    text = text_of_pages([f"• {LONG}\n1/2", "that was spent\n• Train new technicians\n2/2"])
    assert text.splitlines() == [f"• {LONG} that was spent", "• Train new technicians"]


def test_short_lines_and_marked_items_are_never_joined() -> None:
    lines = [LONG, "o repair routers", "a) train technicians", "order parts", "answer calls"]
    assert text_of_pages(["\n".join(lines)]).splitlines() == lines


def test_a_bullet_on_a_line_of_its_own_goes_before_its_item() -> None:
    assert text_of_pages(["•\nRepair routers\n\uf0b7\nTrain"]) == "• Repair routers\n\uf0b7 Train"


def test_ligatures_are_letters() -> None:
    assert text_of_pages(["Run the o\ufb03ce"]) == "Run the office"


def test_another_producer_with_dashes_for_bullets_gives_items() -> None:
    lines = ["Responsibilities", f"- {LONG}", "that was spent", "- Train new technicians", "1/1"]
    tasks = read_tasks(text_of("pdf", papers.pdf(lines)))
    assert [task.text for task in tasks] == [f"{LONG} that was spent", "Train new technicians"]
