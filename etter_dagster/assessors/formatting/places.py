"""The parts of a JD, and which of them the words of a heading or a requirement speak of."""

from __future__ import annotations

import re
from enum import Enum

from etter_dagster.assessors.exposure.sections import Section, whole_section_of


class Part(Enum):
    """What a JD says, in this order."""

    OVERVIEW = "Overview"
    RESPONSIBILITIES = "Key Responsibilities"
    EDUCATION = "Education"
    EXPERIENCE = "Experience"
    SKILLS = "Skills"


REQUIRED = (Part.EDUCATION, Part.EXPERIENCE, Part.SKILLS)

_EDUCATION = re.compile(
    r"\b(?:educat\w+|degrees?|bachelor\w*|master['’]?s|diplomas?|ged|ph\.?d|mba|b\.?sc?|m\.?sc"
    r"|certif\w+|licen[cs]\w+|registration|credentials?|accredited|graduates?|qualified|a-levels?"
    r"|gcses?|apprenticeship)\b"
)
_EXPERIENCE = re.compile(r"\b(?:experience[ds]?|years?|track record|background|worked)\b")
_SKILLS = re.compile(
    r"\b(?:skills?|abilit\w+|competenc\w+|knowledge|qualities|attributes|characteristics|traits"
    r"|tools|technolog\w+|tech stack|languages|proficienc\w+|physical)\b"
)
_REQUIRED = re.compile(
    r"\b(?:requirements?|required|qualif\w+|must haves?|nice to haves?|ideal candidate|criteria"
    r"|candidate|person specification|preferred|desired|desirable|your profile|who you are"
    r"|you(?:'ll| will)? (?:have|bring|need|are)|looking for|we require|we expect|prerequisites?"
    r"|eligibility|physical|how to become)\b"
)
_SKILL_AT_START = re.compile(
    r"(?:must (?:have|be|possess)|ability to|able to|demonstrated|proven|knowledge of|proficien\w+"
    r"|familiar\w*|strong|excellent|solid|fluen\w+|valid|current|working knowledge|understanding of"
    r"|good (?:communication|written|understanding|knowledge)|self[- ](?:starter|motivated)"
    r"|you have|you are|willing)\b"
)
_QUALIFIER = re.compile(
    r"\b(?:preferred|desired|desirable|nice|additional|other|bonus|optional|physical|secondary"
    r"|technical|personal|why|environment|conditions|benefits|perks|pay|salary|compensation|schedules?"
    r"|hours|demands|about|offer|get|apply|opportunit\w+|eeo|location|travel)\b"
)
_PLAIN = re.compile(
    r"(?:(?:job|role|position) )?(?:overview|summary|purpose|description)"
    r"|purpose of the (?:role|job)"
    r"|(?:about )?the (?:role|job|position)|(?:the )?opportunity|(?:work )?experience"
    r"|(?:key |required )?skills|knowledge skills and abilities|person specification"
    r"|essential (?:criteria|functions include)|what are (?:we|you) looking for"
    r"|what (?:will you|you will|you'll) (?:do|be doing)|about (?:this|the) (?:role|job|position)"
)


def requirement_of(text: str) -> Part | None:
    """The kind of requirement that the words of an item or sentence say; the first such word."""
    lowered = text[:600].lower()
    found = [
        (match.start(), part)
        for part, words in ((Part.EDUCATION, _EDUCATION), (Part.EXPERIENCE, _EXPERIENCE))
        if (match := words.search(lowered))
    ]
    if found:
        return min(found, key=lambda pair: pair[0])[1]
    return Part.SKILLS if _SKILL_AT_START.match(lowered) else None


def part_of_heading(heading: str) -> Part | bool | None:
    """What stands under a heading that is not about the work.

    Returns:
        The part; True where each item says its own (requirements); None where it is no
        requirement at all.
    """
    words = heading[:120].lower().replace("’", "'")
    named = [
        part
        for part, pattern in (
            (Part.EDUCATION, _EDUCATION),
            (Part.EXPERIENCE, _EXPERIENCE),
            (Part.SKILLS, _SKILLS),
        )
        if pattern.search(words)
    ]
    if len(named) == 1:
        return named[0]
    return True if named or _REQUIRED.search(words) else None


def says_no_more(heading: str) -> bool:
    """Whether a heading says nothing that the JD's own heading does not say."""
    words = " ".join(re.sub(r"[^a-z' ]+", " ", heading[:120].lower()).split())
    if _PLAIN.fullmatch(words):
        return True
    return whole_section_of(heading) is not Section.OPEN and not _QUALIFIER.search(words)
