"""The reader on job descriptions as companies publish them, with their tasks marked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.reading.marked import SEEN, Judged, Marked, documents, judge

MARKED = [*documents(SEEN)]
PART_OF_ALL = Marked(
    name="part",
    text="- Check invoices of suppliers\n- Pay the suppliers of the firm\n- Ride horses to work\n",
    tasks=("Check invoices of suppliers", "Write letters to the bank"),
    in_doubt=("Pay the suppliers of the firm",),
)


@pytest.mark.parametrize("path", [SEEN], ids=lambda path: path.stem)
def test_nearly_all_that_is_read_are_tasks_and_nearly_all_tasks_are_read(path: Path) -> None:
    """Half of what was read once were sentences about the employer, and scored as work."""
    total = sum(map(judge, documents(path)), Judged())
    assert total.precision >= 0.9
    assert total.recall >= 0.9


@pytest.mark.parametrize("document", MARKED, ids=lambda document: document.name)
def test_no_document_is_read_badly(document: Marked) -> None:
    judged = judge(document)
    assert judged.precision >= 0.5
    assert judged.recall >= 0.5


def test_there_are_many_and_no_two_have_the_same_name() -> None:
    assert len({document.name for document in MARKED}) == len(MARKED) >= 15
    assert all(document.tasks for document in MARKED)


def test_what_is_wrong_and_what_is_missed_is_noticed() -> None:
    """The check that the others rest on is one that can fail."""
    judged = judge(PART_OF_ALL)
    assert [task.text for task in judged.right] == ["Check invoices of suppliers"]
    assert [task.text for task in judged.wrong] == ["Ride horses to work"]
    assert judged.missed == ("Write letters to the bank",)
