"""Makes `occupations.csv`: a company of 727 real occupations, each with a job description.

Only turning the task data into that file belongs here; `README.md` says how to push it.

    python examples/make_occupations.py [TASKS_TSV] [--output FILE]
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path

COMPANY = "Occupations of America"
HERE = Path(__file__).resolve().parent
TASKS = HERE.parent / "training" / "data" / "task-exposure" / "tasks.tsv"
OUTPUT = HERE / "occupations.csv"
THEMES = {"Core": "Core tasks", "Supplemental": "Supplemental tasks", "": "Further tasks"}


def read_occupations(path: Path) -> dict[tuple[str, str], dict[str, list[str]]]:
    """Tasks by occupation (code, title) and task type; the labels are left out.

    Args:
        path: `tasks.tsv`.
    """
    occupations: dict[tuple[str, str], dict[str, list[str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            key = (row["onet_soc_code"], row["occupation"])
            themes = occupations.setdefault(key, {})
            themes.setdefault(row["task_type"], []).append(row["task"])
    return occupations


def job_description(code: str, title: str, tasks: dict[str, list[str]]) -> str:
    """The Markdown job description of one occupation.

    Args:
        code: Its O*NET-SOC code.
        title: Its title.
        tasks: Its tasks by type.
    """
    lines = [f"# {title}", "", "## Overview", "", f"O*NET-SOC code: {code}"]
    lines += ["", "## Key Responsibilities"]
    for task_type, theme in THEMES.items():
        if statements := tasks.get(task_type):
            lines += ["", f"### {theme}", "", *(f"- {statement}" for statement in statements)]
    lines += ["", "## Requirements", "", f"As O*NET describes them for {code}.", ""]
    return "\n".join(lines)


def write_csv(occupations: dict[tuple[str, str], dict[str, list[str]]], output: Path) -> int:
    """Writes the CSV and gives the number of roles.

    Args:
        occupations: What `read_occupations` gave.
        output: The file to write.
    """
    rows: Iterable[tuple[str, str, str, str]] = (
        (COMPANY, title, title, job_description(code, title, tasks))
        for (code, title), tasks in sorted(occupations.items())
    )
    with output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("company", "role", "draup_role", "jd"))
        writer.writerows(rows)
    return len(occupations)


def main() -> None:
    """Reads the arguments and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="?", type=Path, default=TASKS)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    count = write_csv(read_occupations(arguments.tasks), arguments.output)
    print(f"{count} roles of {COMPANY} written to {arguments.output}")  # noqa: T201


if __name__ == "__main__":
    main()
