"""Tasks are read out of job descriptions as people write them, and nothing else is."""

from __future__ import annotations

import pytest

from etter_dagster.assessors.exposure.reading import (
    MAX_TASK_CHARACTERS,
    MAX_TASKS,
    read_tasks,
)
from etter_dagster_tests.assessors.layouts import LAYOUTS, NO_TASKS


def texts(document: str) -> list[str]:
    return [task.text for task in read_tasks(document)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_document_of_each_layout_gives_its_tasks_and_nothing_else(layout: str) -> None:
    """Each document also holds requirements, benefits or boilerplate; none of it is a task."""
    assert texts(LAYOUTS[layout].text) == LAYOUTS[layout].tasks


@pytest.mark.parametrize("layout", LAYOUTS)
def test_windows_line_ends_change_nothing(layout: str) -> None:
    document = LAYOUTS[layout]
    assert texts(document.text.replace("\n", "\r\n")) == document.tasks


@pytest.mark.parametrize("name", NO_TASKS)
def test_a_document_without_tasks_gives_none(name: str) -> None:
    assert read_tasks(NO_TASKS[name]) == ()


def test_a_listed_task_weighs_more_than_a_sentence_of_prose() -> None:
    """Prose repeats and explains what the list says."""
    tasks = read_tasks("## Duties\nYou will run the payroll of the firm.\n- Prepare tax returns\n")
    assert [task.weight for task in tasks] == [0.5, 1.0]


def test_a_task_that_is_said_twice_counts_once() -> None:
    assert texts("Duties:\n- Prepare reports\n- prepare reports.\n- Check invoices") == [
        "Prepare reports",
        "Check invoices",
    ]


def test_loose_items_beside_a_list_of_duties_are_not_tasks() -> None:
    document = "- Our founders met at school\n\n## Duties\n- Prepare reports\n- Check invoices\n"
    assert texts(document) == ["Prepare reports", "Check invoices"]


def test_a_theme_under_the_duties_is_no_end_of_them() -> None:
    """ "Training" alone would be about the way into the job; below "Duties" it is a theme."""
    document = "## Duties\n### Training\n- Train new drivers\n## Training\n- Two weeks in May\n"
    assert texts(document) == ["Train new drivers"]


@pytest.mark.parametrize(
    "title",
    ["Travel Agent", "Compensation and Benefits Manager", "Head of Training", "Legal Secretary"],
)
@pytest.mark.parametrize("form", ["# {}\n\n", "{}\n\n", "{}\n=====\n", "**{}**\n", "Acme\n\n{}\n"])
def test_a_title_that_names_a_section_is_a_title(title: str, form: str) -> None:
    """Travel, benefits and training are no tasks; those who deal with them have some."""
    document = form.format(title) + "- Write the reports\n- Check all invoices\n"
    assert texts(document) == ["Write the reports", "Check all invoices"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Customers remember this job because you are the first human they talk to.",
        "We are looking for an accountant to join our growing team.",
        "You will join a team of 12 that covers the day.",
        "Acme makes software for dentists.",
        "The ward has 24 beds.",
        "Please send your CV to us.",
        "You will need a driving licence.",
    ],
)
def test_a_sentence_about_somebody_else_is_no_task(sentence: str) -> None:
    document = f"Accountant\n\n{sentence} The accountant pays the invoices of suppliers.\n"
    assert texts(document) == ["The accountant pays the invoices of suppliers."]


@pytest.mark.parametrize(
    "sentence",
    [
        "You'll run the payroll and answer questions about it.",
        "As an accountant you will also prepare tax returns.",
        "As an accountant in our Leeds team you decide, with the clerk, how accounts are kept.",
        "Reporting to the director, you are responsible for the budget of three teams.",
        "The successful candidate will manage two clerks.",
        "This role will build the annual plan.",
        "To keep the books of three shops.",
        "Reconciles bank accounts each month.",
        "We need an accountant to close the books each month.",
        "Duties will include cash flow forecasting and VAT returns.",
    ],
)
def test_a_sentence_of_what_the_holder_does_is_a_task(sentence: str) -> None:
    assert texts(f"Accountant\n\nAcme makes rockets. {sentence}\n") == [sentence]


def test_tasks_are_bounded_in_number_and_length() -> None:
    many = "Duties:\n" + "".join(f"- Check invoice number {n}\n" for n in range(MAX_TASKS + 50))
    assert len(read_tasks(many)) == MAX_TASKS
    long = "Duties:\n- Check " + "very long invoices " * 500
    assert [len(text) <= MAX_TASK_CHARACTERS + 2 for text in texts(long)] == [True]


def test_markdown_marks_and_links_are_not_part_of_a_task() -> None:
    document = (
        "## Duties\n- [x] **Write** `tests` for the [billing](https://example.com/a) service\n"
    )
    assert texts(document) == ["Write tests for the billing service"]
