"""The work on a document grows with its length, whatever stands in it.

Counted, not timed: time says more about the machine. Each reader's steps are the lines and calls
that the interpreter executes; what a single call into `re` or numpy costs is bounded by the
patterns, which are run on each hostile text as well and would not end if they were exponential.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from etter_dagster.assessors.exposure.reading import read_tasks

HOSTILE = {
    "one long word": "a",
    "spaces": " ",
    "empty lines": "\n",
    "open tags": "<a ",
    "open comments": "<!--",
    "capitals": "SHOUT ",
    "emoji": "✅ ",
    "open links": "[a](",
    "brackets": "[",
    "entities": "&#",
    "marks": "*",
    "underscores": "_ ",
    "rules": "- - - -x\n",
    "pipes": "|",
    "table rows": "| a | b | c |\n",
    "bullets": "• ",
    "bullets on one line": "• check it ",
    "bullet lines": "- a\n",
    "numbers": "(1) ",
    "semicolons": "check it; ",
    "colons": "Duties: ",
    "abbreviations": "e.g. A",
    "full stops": ".",
    "questions": "?!",
    "sentences": "You will check it. ",
    "headings": "# Duties\n",
    "capital headings": "DUTIES\n",
    "half a legal phrase": "reasonable accommodation ",
    "percents": "40% - ",
    "words that begin many headings": "role " * 20 + "x\n",
    "joined words": "will be what you ",
}
LENGTH = 200_000


def steps(text: str) -> int:
    """How many lines of Python run while the text is read."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read_tasks(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_of_200_kb_is_read(name: str) -> None:
    """A pattern that is quadratic in this would take minutes here and meet the suite's timeout."""
    piece = HOSTILE[name]
    tasks = read_tasks(piece * (LENGTH // len(piece)))
    assert len(tasks) <= 200


@pytest.mark.parametrize("name", HOSTILE)
def test_four_times_the_text_takes_at_most_about_four_times_the_steps(name: str) -> None:
    """A loop over lines within a loop over lines would be sixteen times."""
    piece = HOSTILE[name]
    small = steps(piece * (2_000 // len(piece)))
    assert steps(piece * (8_000 // len(piece))) <= 5 * small + 500
