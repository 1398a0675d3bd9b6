"""What a heading says about the text under it: the tasks, something else, or nothing certain."""

from __future__ import annotations

import re
from enum import Enum


class Section(Enum):
    """What stands under a heading."""

    TASKS = "tasks"
    OTHER = "other"
    OPEN = "open"
    """Nothing certain: a title, an overview, a theme; the sentences themselves decide."""


_NOT_A_LETTER = re.compile(r"[^a-z' ]+")

# Anywhere in a heading.
_TASK_WORDS = re.compile(
    r"\b(?:responsibilit\w+|what will you (?:be )?do\w*|accountabilit\w+|duties|duty|tasks"
    r"|job functions?|essential functions?"
    r"|(?:key|main|core|principal|major|typical) (?:activities|functions?|deliverables?)"
    r"|key result areas?|scope of (?:the )?(?:work|role|position|job)|day to day|day in the life"
    r"|daily work|what (?:you|they|we|the|i|he|she)\b.*\b(?:do|doing|own|work on|deliver"
    r"|accomplish)"
    r"|what [a-z' ]+ do|do the following|does the following|work activities|role profile"
    r"|in this (?:role|job|position)|you will be doing|your (?:mission|impact|role|job|day|work)"
    r"|how you(?: will|'ll)? (?:make|have|contribute|help)|job (?:description|content|duties)"
    r"|position description|will be responsible for|include the following)"
)
_OTHER_WORDS = re.compile(
    r"\b(?:requirements?|required|qualif\w+|education\w*|experience|skills?|competenc\w+|abilit\w+"
    r"|knowledge|certific\w+|licen[cs]\w+|credentials?|training|benefits?|perks|compensation|salary"
    r"|pay|remuneration|rewards?|work(?:ing)? (?:environment|conditions?|schedules?|hours)"
    r"|environment|schedules?|hours|physical|injuries|hazards?|travel|location|how to (?:become"
    r"|apply)"
    r"|apply|application|equal (?:opportunit\w+|employment)|eeo\w*|diversity|inclusion"
    r"|accommodations?"
    r"|about (?!the (?:role|job|position|work|opportunity)|this (?:role|job|position))\w+"
    r"|our (?:company|culture|values|mission|story|team|client)|who (?:we|you) are|why \w+"
    r"|what (?:we|you(?: will|'ll)?) (?:offer|get|bring|need|have|receive|look\w*|require"
    r"|expect)\w*"
    r"|what(?:'s| is) in it for|what we're looking|we(?:'re| are)? (?:offer|looking|require"
    r"|expect)\w*|looking for"
    r"|you (?:have|bring|are)"
    r"|must have|must haves|nice to have\w*|ideal candidate|candidate|person specification"
    r"|preferred"
    r"|desired|desirable|your profile|qualities|attributes|characteristics|traits|advancement"
    r"|career"
    r"|job outlook|wages?|disclaimers?|notices?|legal|privacy|contact|reports? to"
    r"|reporting (?:to|line)"
    r"|relationships|tools (?:used|and technolog\w+)|technolog\w+ (?:used|stack|skills?)|tech stack"
    r"|background|prerequisites?|eligibility|terms|conditions)\b"
)

# The whole heading, nothing else in it: safe for lines that carry no mark of a heading, and for
# headings below one of the other kind ("Training" under "Responsibilities" is a theme of the work).
_LEAD = (
    r"(?:(?:the|your|our|job|role|position|key|main|primary|core|principal|major|essential|typical"
    r"|general|specific|overall|basic|minimum|additional|other|preferred|required|desired|technical"
    r"|professional|personal|duties|roles|work|education|educational|skills|knowledge|experience"
    r"|qualifications|requirements|benefits|compensation|physical|candidate) ?(?:and |or |of "
    r"|& )?)*"
)
_TASKS_ONLY = re.compile(
    _LEAD + r"(?:responsibilities|accountabilities|duties|tasks|functions|activities"
    r"|what (?:you will|you'll|youll|you) (?:do|be doing)|day to day|in this role you will"
    r"|you will|(?:a )?day in the life)"
)
_OTHER_ONLY = re.compile(
    _LEAD + r"(?:requirements?|qualifications?|education|skills|benefits|perks|compensation|salary"
    r"|competenc(?:y|ies)|certifications?|licenses?|credentials|abilities|experience|environment"
    r"|conditions|schedules?|hours|demands|pay|pay range|attributes|qualities"
    r"|about (?:us|you|the company|our company|the team)|who (?:we|you) are|what we offer"
    r"|what (?:you will|you'll|you) (?:bring|need|get)|how to apply|why (?:join )?us"
    r"|equal opportunit(?:y|ies)(?: employer| statement)?|eeo statement|nice to haves?"
    r"|must haves?|work environment"
    r"|what we(?:'re| are) looking for|your profile|person specification|location|travel)"
)


def section_of(heading: str) -> Section:
    """What a heading that is marked as one says, by any of its words."""
    words = _normal(heading)
    if _TASK_WORDS.search(words) and not _OTHER_ONLY.fullmatch(words):
        return Section.TASKS
    return Section.OTHER if _OTHER_WORDS.search(words) else Section.OPEN


def whole_section_of(heading: str) -> Section:
    """What a heading says that consists of nothing but well-known section words."""
    words = _normal(heading)
    if _TASKS_ONLY.fullmatch(words):
        return Section.TASKS
    return Section.OTHER if _OTHER_ONLY.fullmatch(words) else Section.OPEN


def _normal(heading: str) -> str:
    # A heading is short; the bound keeps the searches above linear on anything that is not one.
    words = heading[:120].lower().replace("’", "'").replace("&", " and ").replace("-", " ")
    return " ".join(_NOT_A_LETTER.sub(" ", words).split())
