"""Prose to sentences, and which sentences speak of something other than the work itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

# From a run's first mark only: to begin at each of them takes time quadratic in the run.
_END = re.compile(r"(?<![.!?])[.!?]+[\"”’')\]]*\s+(?=[\"“‘(\[]?[A-Z0-9])")
_ABBREVIATIONS = (
    "e.g i.e etc vs inc ltd co corp dr mr mrs ms prof st no approx dept u.s u.k ph.d jr sr fig"
)

# Wherever they stand, also among the tasks: nobody's task.
_NEVER = re.compile(
    r"equal (?:employment )?opportunity[ /\w]{0,25}employer|without regard to|protected veteran"
    r"|veteran status"
    r"|reasonable accommodations?\b.{0,60}\b(?:disabilit|essential|perform)|e-verify"
    r"|background check (?:is|will|may|required)|(?:pass|undergo|submit to)\b.{0,40}\bdrug"
    r"|high school diploma|\bged\b"
    r"|\b(?:bachelor|master|associate)['’]?s?['’]? degree|\bdegree in\b|\bpost-?secondary degree"
    r"|\b\d+\+? ?(?:\+|or more|plus)? ?years?['’]? (?:of )?(?:\w+ ){0,3}experience"
    r"|years of experience"
    r"|401 ?\(?k\)?|paid time off|\bpto\b|tuition reimbursement|(?:base )?salary (?:range|is|of)"
    r"|pay range|\$ ?\d[\d,.]*k? ?(?:-|–|—|to|per|an|a|/) ?(?:\$|hour|year|annum|month)"
    r"|competitive (?:salary|pay\b|benefits)|dental\b.{0,20}\bvision|annual bonus"
    r"|performs? (?:other )?(?:related|similar) (?:work|duties|tasks)|related (?:work|duties) as\b"
    r"|other (?:related )?duties (?:as|commensurate|that|which|may)\b|visa sponsorship|job posting"
    r"|welcomes? applica\w+ from|we (?:do not|don.t|never) discriminate"
    r"|duties (?:listed|described) (?:above|here)|not (?:intended to be )?an? (?:exhaustive|all)"
)
_NEVER_AT_START = re.compile(
    r"(?:a |an |the )?(?:minimum|must (?:have|be|possess)|ability to|able to|demonstrated|proven"
    r"|knowledge of|proficien\w+|familiar\w*|strong|excellent|solid|fluen\w+|experience (?:in"
    r"|with|as)"
    r"|experienced|valid (?:\w+['’]?s? ){0,3}(?:licen|passport|certif)|current (?:licen|certif)"
    r"|bachelor|master['’]?s|phd|b\.?[as]\.?c?\b|mba\b"
    r"|high school|degree|\d+\+? years|one year|two years|equivalent|willing|preferred|required"
    r"|certifi(?:ed|cate|cation)\b|licensed? (?:as|in|or)|working knowledge|understanding of"
    r"|good (?:communication|written|understanding|knowledge)|self[- ](?:starter|motivated)"
    r"|team player|health(?:care)? (?:insurance|benefits|plan)|medical,|flexible (?:work|hours"
    r"|sched)|we (?:offer|provide|are)\b)"
)

# Only in prose: about the employer, the place, the pay, the way into the job, or the page itself.
_NOT_IN_PROSE = re.compile(
    r"\bwe (?:are|offer|believe|provide|value|strive|do not|have been|pride|celebrate|encourage"
    r"|thank"
    r"|know|foster|also offer|have (?:over|more|a)|seek|need|'re|’re)\b|\bwe['’]re\b"
    r"|\bjoin (?:us|our|a)\b"
    r"|\bour (?:company|mission|values|culture|people|purpose|story|employees|benefits"
    r"|customers are"
    r"|headquarters|offices?|founders?)\b|\bheadquartered\b|\bfounded in\b|\bfortune \d+"
    r"|\bapply (?:now"
    r"|today|online|for this)|\b(?:applicants?|candidates?) (?:must|will|should|are|who|with)\b"
    r"|\bis (?:hiring|looking for|seeking|recruiting|an? (?:leading|global|fast|growing))\b"
    r"|^join\b|\?$"
    r"|\bfull[- ]time\b|\bpart[- ]time\b|\bovertime\b|\bremote(?:ly)? (?:work|position|role"
    r"|or hybrid)"
    r"|\bhybrid\b|\bbenefits (?:package|include)|\bemployers (?:prefer|may|require|also|often"
    r"|usually|look)|\bheld about\b"
    r"|\b(?:this|the) (?:role|position|job|post|post ?holder|incumbent|employee)"
    r"(?: will| may| must)? (?:is|has|have|be|work|need|requires?|offers?|reports?|sits?|can be)\b"
    r"|\breports? (?:directly )?to the"
    r"|\breporting (?:directly )?to\b|\bis (?:required|preferred|a plus|desired|an asset)\b"
    r"|\byou (?:have|are|bring|possess|should have|must have|thrive|love)\b|\byour (?:career"
    r"|growth|profile)"
    r"|\bfollowing are (?:examples|some)|\bfor more information\b|\bexamples of types\b"
    r"|\bsee the profile"
    r"|\b(?:typically|usually|generally) (?:need|require)|\bmust be licensed\b|\bjobs in \d"
)
# Whatever else the sentence says.
_SAYS_WORK = re.compile(
    r"\byou(?: will|['’]ll) (?!have|need|report|receive|get|join|enjoy|bring|earn|find|love"
    r"|work\b|also have"
    r"|be (?:based|working|part|joining|given|offered|paid|eligible|required|entitled|a\b|an\b"
    r"|the\b))"
)
_FACT = re.compile(
    r"^(?:location|duration|duty station|department|reports? to|job title|job type|employment type"
    r"|position|pay(?: rate| range)?|wage|hours|start date|closing date|contract|industry|level"
    r"|salary|grade|posted|date|job id|job code|job family|flsa(?: status)?|company|division"
    r"|contact|email|phone|schedule|shift|travel|title|role|team|manager|supervisor)\s*:",
    re.I,
)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph, in order."""
    abbreviations = frozenset(_ABBREVIATIONS.split())
    begin = 0
    for match in _END.finditer(text):
        before = text[max(begin, match.start() - 8) : match.start()].split()
        last = before[-1].lower().lstrip('("“') if before else ""
        if last in abbreviations or len(last) == 1:
            continue
        yield text[begin : match.end()].strip()
        begin = match.end()
    if rest := text[begin:].strip():
        yield rest


def is_fact(line: str) -> bool:
    """Whether the line is a field of the posting: "Location: Leeds"."""
    return bool(_FACT.match(line))


def is_work(text: str, *, prose: bool) -> bool:
    """Whether a sentence or list item can be a task, as far as its own words tell.

    Args:
        text: The sentence or item.
        prose: Whether it stands in running text, where other things are said than in lists.
    """
    lowered = text[:600].lower()
    if _NEVER.search(lowered) or _NEVER_AT_START.match(lowered) or is_fact(lowered):
        return False
    return not (prose and _NOT_IN_PROSE.search(lowered) and not _SAYS_WORK.search(lowered))
