"""Measures how well documents that are no JDs are told apart; prints the table of the docs.

Run from the project's root: `python -m training.quality.report`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from etter_dagster.assessors.quality.judging import judge

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TASKS = ROOT / "training" / "data" / "task-exposure" / "tasks.tsv"
PAGES = ROOT / "examples" / "occupation-pages"


SPLITS = {
    "seen while making the rules": ("tune", "after"),
    "held out": ("held",),
    "written last": ("fresh",),
}


class Labelled(NamedTuple):
    """A document of the set: its kind or style, its part of the set (see `SPLITS`), its text."""

    name: str
    split: str
    text: str


def documents(file: str) -> Iterator[Labelled]:
    """The documents of one file of the set."""
    for part in (HERE / file).read_text(encoding="utf-8").split("\n=== "):
        head, _, text = part.removeprefix("=== ").partition("\n")
        name, _, split = head.rpartition(" | ")
        yield Labelled(name, split.strip(), text)


def occupations() -> Iterator[str]:
    """The occupations of the task data, each as a list of its tasks."""
    tasks: dict[str, list[str]] = defaultdict(list)
    with TASKS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            tasks[row["occupation"]].append(f"- {row['task']}")
    for lines in tasks.values():
        yield "\n".join(lines)


def pages() -> Iterator[str]:
    """The occupation pages of the examples."""
    for path in sorted(PAGES.glob("*.md")):
        yield path.read_text(encoding="utf-8")


def table() -> str:
    """Refused and passed per part of the set, in Markdown."""
    rows = ["| documents | number | refused | right |", "| --- | --- | --- | --- |"]
    for said, splits in SPLITS.items():
        others = [judge(d.text) for d in documents("other.txt") if d.split in splits]
        jds = [judge(d.text) for d in documents("jds.txt") if d.split in splits]
        refused = sum(not v.is_jd for v in others)
        wrong = sum(not v.is_jd for v in jds)
        rows.append(_row(f"no JDs, {said}", len(others), refused, refused))
        rows.append(_row(f"JDs, {said}", len(jds), wrong, len(jds) - wrong))
        precision = refused / (refused + wrong) if refused + wrong else 1.0
        rows.append(
            f"| *{said}* | | precision {precision:.3f} | recall {refused / len(others):.3f} |"
        )
    for said, texts in (
        ("occupations, lists of tasks", occupations()),
        ("occupation pages", pages()),
    ):
        verdicts = [judge(text) for text in texts]
        wrong = sum(not v.is_jd for v in verdicts)
        rows.append(_row(said, len(verdicts), wrong, len(verdicts) - wrong))
    return "\n".join(rows)


def _row(what: str, number: int, refused: int, right: int) -> str:
    return f"| {what} | {number} | {refused} | {right / number:.1%} |"


if __name__ == "__main__":
    print(table())
