"""A task in the wording of the training data: "You will also be preparing ..." is "Prepare ...".

Scores must not hang on the form of the verb, or on who is said to do it. Nothing is scored here.
"""

from __future__ import annotations

import re

from etter_dagster.assessors.exposure.verbs import base_of

_LOOKED_AT = 200
_DOER = re.compile(
    r"(?:(?:[^.;:]{0,120}\b)?you(?: will|['’]ll| would|['’]d| shall)?"
    r"|(?:the|this|an?|he|she|they)(?: [\w/-]+){0,6}? (?:will|shall|would))"
    r" (?:(?:also|then|often|regularly|typically|usually) )*"
    r"(?:be )?(?:(?:responsible|accountable) for )?(?=[a-z])",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:(?:is |are |be )?(?:responsible|accountable) for|to) (?=[a-z])", re.IGNORECASE
)
_LABEL = re.compile(r"[\w ,&/'()-]{2,50}?(?::| [–—-]) +(?=\S)")
_WORD = re.compile(r"[A-Za-z]+")
# Names of things rather than something that is done.
_NOUNS = frozenset(("building", "marketing", "engineering", "manufacturing", "housing", "lighting"))
_JOINT = re.compile(r",? and |,? or |, |/|$")


def plain(task: str) -> str:
    """The task as an order, "Prepare or review reports", without a label before it.

    Args:
        task: A list item or a sentence, as a document has it.
    """
    for before in (_LABEL, _DOER, _LEAD):
        match = before.match(task[:_LOOKED_AT])
        if match and (first := _WORD.match(task, match.end())) and base_of(first[0]):
            task = task[match.end() :]
    return _orders(task)


def _orders(text: str) -> str:
    """The verbs that it begins with in their base form: "Prepares, files" is "Prepare, file"."""
    made, at = "", 0
    while word := _WORD.match(text, at):
        joint = _JOINT.match(text, word.end())
        base = None if word[0].lower() in _NOUNS else base_of(word[0])
        if base is None or (made and joint is None and base == word[0].lower()):
            break
        made += base.capitalize() if not made else base
        at = word.end()
        if not joint:
            break
        made += joint[0]
        at = joint.end()
        if not joint[0]:
            break
    return made + text[at:]
