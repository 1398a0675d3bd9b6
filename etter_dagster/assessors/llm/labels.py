"""What the model answered: labels by number, as far as they can be understood. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from etter_dagster.assessors.llm.planning import Asked
from etter_dagster.assessors.llm.rubric import LABELS, MAX_REASON_CHARACTERS

_LABEL = re.compile(r"\W*(E[012])\b", re.IGNORECASE)


class Label(NamedTuple):
    """The label of one task with the model's reason."""

    label: str
    reason: str


class Labelled(NamedTuple):
    """An answer as understood: labels by place in the document."""

    labels: dict[int, Label]
    missing: tuple[int, ...]
    """Places of tasks without one."""
    talked_into: bool
    """Whether a task whose label is known came back with another one."""


def understand(content: str, asked: Asked) -> Labelled:
    """Reads an answer; what is not of the right form is left out.

    Args:
        content: The model's message.
        asked: What was asked.
    """
    given = _by_number(content, len(asked.texts))
    labels: dict[int, Label] = {}
    places = iter(asked.places)
    wrong = False
    for number, known in enumerate(asked.known, start=1):
        label = given.get(number)
        if known is not None:
            wrong = wrong or (label is not None and label.label != known)
            continue
        place = next(places)
        if label is not None:
            labels[place] = label
    missing = tuple(place for place in asked.places if place not in labels)
    return Labelled(labels, missing, wrong)


def _by_number(content: str, most: int) -> dict[int, Label]:
    """Labels by number; a number with two different ones has none."""
    found: dict[int, Label] = {}
    torn: set[int] = set()
    for number, label in _entries(content):
        if not 1 <= number <= most:
            continue
        if number in found and found[number].label != label.label:
            torn.add(number)
        found.setdefault(number, label)
    return {number: label for number, label in found.items() if number not in torn}


def _entries(content: str) -> Iterator[tuple[int, Label]]:
    parsed = json_in(content)
    entries = parsed.get("labels") if isinstance(parsed, dict) else parsed
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        number, label = entry.get("n"), _LABEL.match(str(entry.get("label")))
        if isinstance(number, str) and number.isascii() and number.isdecimal():
            number = int(number[:6])
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if isinstance(number, int) and not isinstance(number, bool) and label:
            assert label[1].upper() in LABELS
            yield number, Label(label[1].upper(), _one_line(entry.get("reason")))


def json_in(content: str) -> Any:
    """The JSON in a message, or None; some models put it into a fence or talk around it."""
    pairs = sorted((("{", "}"), ("[", "]")), key=lambda pair: content.find(pair[0]))
    for begin, end in pairs:
        start, stop = content.find(begin), content.rfind(end)
        if 0 <= start < stop:
            try:
                return json.loads(content[start : stop + 1])
            except (ValueError, RecursionError):
                continue
    return None


def _one_line(reason: Any) -> str:
    text = " ".join(reason.split()) if isinstance(reason, str) else ""
    text = "".join(char for char in text if char.isprintable())
    return text[:MAX_REASON_CHARACTERS]
