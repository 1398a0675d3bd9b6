"""Whether a text of some length in English says at all that anybody does something in a job."""

from __future__ import annotations

import re

from etter_dagster.assessors.exposure.verbs import is_common_verb

LEAST_WORDS = 30
LEAST_VOCABULARY = 25  # different words: what repeats itself is a placeholder, not a text
MOST_CLAUSES = 2  # about work, in a text that is about something else
MOST_SHARE = 0.2
LEAST_ENGLISH = 0.15  # of words that every English text has
_ENGLISH = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "a",
        "in",
        "is",
        "for",
        "with",
        "on",
        "at",
        "by",
        "we",
        "you",
        "it",
        "from",
        "that",
        "this",
        "be",
        "are",
        "was",
        "as",
        "our",
        "your",
        "has",
        "have",
        "will",
        "not",
        "or",
        "an",
        "his",
        "her",
        "they",
        "their",
        "which",
        "who",
        "i",
    ]
)
_CLAUSE = re.compile(r"[.,;:!?()\n•|–—]|\s-\s|\band\b|\bor\b")
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?")
# What may stand before the verb: "you will check", "responsible for checking", "the clerk checks".
_BEFORE = frozenset(
    "you to will they we you'll also who would responsible for then daily must".split()  # noqa: SIM905
)
_ARTICLES = frozenset(("the", "a", "an", "our", "each"))


def says_no_work(text: str) -> bool:
    """Whether hardly a clause of it begins as tasks do; never for a short or a foreign text.

    Args:
        text: The document, or its beginning.
    """
    lowered = text.lower()
    words = _WORD.findall(lowered)
    if len(words) < LEAST_WORDS or len(set(words)) < LEAST_VOCABULARY:
        return False
    if sum(word in _ENGLISH for word in words) < LEAST_ENGLISH * len(words):
        return False
    clauses = [found for part in _CLAUSE.split(lowered) if len(found := _WORD.findall(part)) >= 2]
    work = sum(_is_work(clause[:4]) for clause in clauses)
    return work <= MOST_CLAUSES and work < MOST_SHARE * len(clauses)


def _is_work(words: list[str]) -> bool:
    if words[0] in _ARTICLES and len(words) > 2 and words[2].endswith("s"):
        return is_common_verb(words[2])
    return any(
        is_common_verb(word) and (n == 0 or words[n - 1] in _BEFORE)
        for n, word in enumerate(words[:3])
    )
