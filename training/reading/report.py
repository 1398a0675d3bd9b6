"""Prints how well the reader finds the tasks of the marked job descriptions, and its mistakes.

Run from the project's root: `python -m training.reading.report [--mistakes]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from training.reading.marked import HELD_OUT, SEEN, Judged, documents, judge

SETS = {"seen while making the rules": SEEN, "held out": HELD_OUT}


def row(name: str, path: Path) -> str:
    """One row of the table."""
    judged = [judge(document) for document in documents(path)]
    total = sum(judged, Judged())
    tasks = len(total.found) + len(total.missed)
    return f"| {name} | {len(judged)} | {tasks} | {total.precision:.3f} | {total.recall:.3f} |"


def mistakes(path: Path) -> str:
    """What was read wrongly or missed, document by document."""
    lines = []
    for document in documents(path):
        judged = judge(document)
        lines += [f"{document.name}: wrong: {task.text}" for task in judged.wrong]
        lines += [f"{document.name}: missed: {task}" for task in judged.missed]
    return "\n".join(lines)


def main() -> None:
    """Prints the table; with `--mistakes` also the mistakes in those seen."""
    print("| job descriptions | number | tasks | precision | recall |")
    print("| --- | --- | --- | --- | --- |")
    for name, path in SETS.items():
        print(row(name, path))
    if "--mistakes" in sys.argv:
        print(mistakes(SEEN))


if __name__ == "__main__":
    main()
