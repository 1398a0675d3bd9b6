"""The reader on job descriptions as companies publish them, with their tasks marked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.reading.marked import HELD_OUT, SEEN, Judged, Marked, documents, judge
from training.reading.report import SETS, row

ROOT = Path(__file__).parents[2]
MARKED = [*documents(SEEN), *documents(HELD_OUT)]
PART_OF_ALL = Marked(
    name="part",
    text="- Check invoices of suppliers\n- Pay the suppliers of the firm\n- Ride horses to work\n",
    tasks=("Check invoices of suppliers", "Write letters to the bank"),
    in_doubt=("Pay the suppliers of the firm",),
)


@pytest.mark.parametrize("path", [SEEN, HELD_OUT], ids=lambda path: path.stem)
def test_nearly_all_that_is_read_are_tasks_and_nearly_all_tasks_are_read(path: Path) -> None:
    """Half of what was read once were sentences about the employer, and scored as work."""
    total = sum(map(judge, documents(path)), Judged())
    assert total.precision >= 0.85
    assert total.recall >= 0.9


def test_hardly_a_document_is_read_badly() -> None:
    """The whole is not carried by some long and easy ones."""
    badly = {
        document.name
        for document in MARKED
        for judged in [judge(document)]
        if judged.precision < 0.5 or judged.recall < 0.5
    }
    assert len(badly) <= 2


def test_there_are_many_and_no_two_have_the_same_name() -> None:
    assert len({document.name for document in MARKED}) == len(MARKED) >= 30
    assert all(document.tasks for document in MARKED)


def test_what_is_wrong_and_what_is_missed_is_noticed() -> None:
    """The check that the others rest on is one that can fail."""
    judged = judge(PART_OF_ALL)
    assert [task.text for task in judged.right] == ["Check invoices of suppliers"]
    assert [task.text for task in judged.wrong] == ["Ride horses to work"]
    assert judged.missed == ("Write letters to the bank",)


def test_the_page_has_the_figures_of_the_report() -> None:
    page = (ROOT / "training" / "README.md").read_text(encoding="utf-8")
    assert all(row(name, path) in page for name, path in SETS.items())
