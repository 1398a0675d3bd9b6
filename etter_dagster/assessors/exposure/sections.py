"""What a heading says about the text under it: the tasks, something else, or nothing certain."""

from __future__ import annotations

import re
import unicodedata
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
    r"|job functions|essential functions?|(?:accountable|responsible) for"
    r"|(?:key|main|core|principal|major|typical) (?:activities|functions?|deliverables?)"
    r"|key result areas?|scope of (?:the )?(?:work|role|position|job)|day to day|day in the life"
    r"|what you(?:'ll| will|'d| would)? (?:be up to|spend|take on|run|lead|build"
    r"|focus|handle|tackle)"
    r"|daily work|what (?:you|they|the|i|he|she)\b.*\b(?:do|doing|own|work on|deliver"
    r"|accomplish)"
    r"|what (?!we |our )[a-z' ]+ do|do the following|does the following|work activities|impact you"
    r"|in this (?:role|job|position)|you will be doing|your days?\b|your weeks?\b"
    r"|how you(?: will|'ll)? (?:make|have|contribute|help)|job duties|spend your time"
    r"|include the following"
    r"|aufgaben|tatigkeiten|taches|vos missions|funciones|tareas|responsabilidades|mansioni"
    r"|werkzaamheden|wat ga je doen)"
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
    r"|you(?:'ll| will| might| may| must| should|'re)? (?:have|bring|are|be|need|get)"
    r"|give you|what we do|what (?:makes|it takes)|in return|how we (?:hire|work)|you thrive"
    r"|what helps|in touch|interested|what's next|next steps?"
    r"|you must|love to see|should (?:know|have|bring|be)"
    r"|who do we"
    r"|thrives?|succeed|hiring process|interviews?|sound like you|fine print|practical"
    r"|package|goodies|conditions|signatures?|safeguarding|supplemental|seniority"
    r"|employment type|industries"
    r"|(?:company|organi[sz]ation(?:al)?|employer) (?:overview|description|profile|summary|info\w*)"
    r"|our organi[sz]ation|dein profil|ihr profil|profil|wir bieten|uber uns|kontakt|nous offrons"
    r"|requisitos|beneficios|ofrecemos|ons aanbod|wij bieden|chi siamo|offriamo|sobre nosotros"
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
    r"(?:you|we|us|(?:about )?the (?:person|candidate|company|firm|employer|team))|"
    + _LEAD
    + r"(?:requirements?|qualifications?|education|skills|benefits|perks|compensation|salary"
    r"|competenc(?:y|ies)|certifications?|licenses?|credentials|abilities|experience|environment"
    r"|conditions|schedules?|hours|demands|pay|pay range|attributes|qualities"
    r"|about (?:us|you|the company|our company|the team)|who (?:we|you) are|what we offer"
    r"|what (?:you will|you'll|you) (?:bring|need|get)|how to apply|why (?:join )?us"
    r"|equal opportunit(?:y|ies)(?: employer| statement)?|eeo statement|nice to haves?"
    r"|must haves?|work environment"
    r"|what we(?:'re| are) looking for|your profile|person specification|location|travel)"
)
_ANYTHING_ONLY = re.compile(
    r"about (?:the|this|your) \w+|(?:the|your) (?:role|job|position|opportunity)"
    r"(?: (?:in|at) .{1,20})?"
    r"|role|job|position|opportunity|the work"
    r"|(?:the |your )?(?:role|job|position|general) (?:summary|overview|purpose"
    r"|description|profile)"
    r"|(?:overview|summary|purpose|introduction|job purpose)"
    r"|(?:purpose|summary|overview) of (?:the )?(?:role|job|position|post)"
)

# "Travel agent", "Benefits manager": what the text is about, whatever the words before.
_TITLE = re.compile(
    r"(?!(?:about|our|your|who|what|why|how|the|equal)\b).*"
    r"(?:\w{2}(?:er|or|ist|ant|ian|yst|eer|tary)|clerk|guide|nurse|aide|agent|representative)s?"
    r"|(?:\w+ )?(?:head|director|manager|dean|chief|vp|supervisor)s?"
    r" (?:of|for) .+"
)
_NO_TITLE = re.compile(
    r".*\b(?:employer|offer|career|other|disclaimer|number|letter|center|for|matter|newsletter)s?"
)


def section_of(heading: str) -> Section:
    """What a heading that is marked as one says, by any of its words."""
    words = _normal(heading)
    if _TASK_WORDS.search(words) and not _OTHER_ONLY.fullmatch(words):
        return Section.TASKS
    other = _OTHER_WORDS.search(words) or _OTHER_ONLY.fullmatch(words)
    if not other or is_title(words):
        return Section.OPEN
    return Section.OTHER


def is_title(words: str) -> bool:
    """Whether a heading ends as the names of occupations do."""
    return bool(_TITLE.fullmatch(words) and not _NO_TITLE.fullmatch(words))


def whole_section_of(heading: str) -> Section:
    """What a heading says that consists of nothing but well-known section words."""
    words = _normal(heading)
    if _TASKS_ONLY.fullmatch(words):
        return Section.TASKS
    return Section.OTHER if _OTHER_ONLY.fullmatch(words) else Section.OPEN


def says_section(heading: str) -> bool:
    """Whether it is nothing but the name of a section, one that may hold anything included."""
    if whole_section_of(heading) is not Section.OPEN:
        return True
    return bool(_ANYTHING_ONLY.fullmatch(_normal(heading)))


def _normal(heading: str) -> str:
    # A heading is short; the bound keeps the searches above linear on anything that is not one.
    words = heading[:120].lower().replace("’", "'").replace("&", " and ").replace("-", " ")
    if not words.isascii():
        words = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return " ".join(_NOT_A_LETTER.sub(" ", words).split())
