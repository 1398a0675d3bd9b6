"""Whether a text is in the form of a JD already: what `writing.py` writes always is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

PARTS = ("## Overview", "## Key Responsibilities", "## Requirements")
REQUIREMENTS = ("### Education", "### Experience", "### Skills")


def is_formatted(text: str) -> bool:
    """Whether it has a title, the parts in their order, and all its text in one of them."""
    lines = text.split("\n")
    if lines[-1] or not lines[0].startswith("# ") or any(line != line.rstrip() for line in lines):
        return False
    if any(not a and not b for a, b in pairwise(lines)):
        return False
    rest = lines[1:-1]
    headings = [line for line in rest if line.startswith("## ")]
    if not _in_order(headings, PARTS) or any(line.startswith("# ") for line in rest):
        return False
    before = rest[: rest.index(headings[0])] if headings else rest
    return not any(before) and _requirements_in_order(rest)


def _requirements_in_order(lines: Sequence[str]) -> bool:
    if PARTS[2] not in lines:
        return True
    part = [line for line in lines[lines.index(PARTS[2]) + 1 :] if line]
    headings = [line for line in part if line.startswith("### ")]
    return bool(part) and part[0] in REQUIREMENTS and _in_order(headings, REQUIREMENTS)


def _in_order(found: Sequence[str], legal: Sequence[str]) -> bool:
    places = [legal.index(line) if line in legal else -1 for line in found]
    return -1 not in places and all(a < b for a, b in pairwise(places))
