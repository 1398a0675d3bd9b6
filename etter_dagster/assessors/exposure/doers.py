"""Who does what a sentence says: the job's holder, or somebody else (the employer, its customers).

Where the sentence stands is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice, pairwise

from etter_dagster.assessors.exposure.verbs import is_verb


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOOKED_AT = 600
_BLOCKS_LOOKED_AT = 200
_WORD = re.compile(r"[a-z][a-z'-]*")
_LABEL = re.compile(r"[\w ,&/'()-]{2,60}?(?::| [–—-]) +(?=\S)")
_WORKS = ("work with ", "work closely ", "work on ", "work alongside ", "works with ", "be the ")
_SHARE = re.compile(r"\W*\d{1,3} ?%\W*")

# What stands between the doer and the verb.
_BETWEEN = _words(
    "will would shall may can must also then first often usually typically regularly sometimes"
    " always mainly primarily mostly generally both either therefore to be and or i ii iii iv"
)
# Verbs that say nothing of what the work is.
_NO_WORK = _words(
    "join work earn love enjoy be have get need grow become gain thrive feel hear know come want"
    " believe benefit like understand think base basing working joining reporting having getting"
    " being based offered paid given part required offer require"
)
# Those that say of a person something else than of the work: "you will receive", "you use".
_NO_WORK_OF_YOU = _words("receive find bring learn start see use show speak travel stand sit care")
# What a requirement may begin with.
_NO_ORDER = _words("show speak travel stand sit care")
_YOU = re.compile(
    r"(?:(?:^|[,;:–—(-] ?(?:and |then |so )?|\b(?:where|once|and|here) |^as [^,.;:]{3,90} )"
    r"you(?= [a-z])"
    r"|\byou(?: will|'ll| would|'d| shall)\b|\b(?:expect|ask|need|want) you to\b)"
    r"((?: [a-z'-]+){1,6})"
)
_RESPONSIBLE = re.compile(
    r"\b(?:will be|is|are|be) (?:responsible|accountable) for\b|^(?:responsible|accountable) for\b"
    r"|\b(?:duties|responsibilities|tasks|functions)\b.{0,40}\b(?:are|include|comprise|involve)\b"
    r"|\b(?:role|job|position|post) (?:will |also )*(?:involves?|includes?|entails?)"
    r" (?!evening)\w+ing\b"
    r"|\b(?:work|job|role|task|post|position) (?:is|will be) to [a-z]+\b"
)
_WILL = re.compile(r"the ((?:[\w-]+ ){1,4})(?:will|shall) (?:also )?([a-z]+)\b")
_WANTED_TO = re.compile(
    r"\b(?:looking for|look for|after|seek(?:s|ing)?|needs?|wants?|recruit(?:s|ing)|hiring)\b"
    r".{1,120}?\b(?:to|who (?:will|can)) ([a-z]+)"
)
_HOLDERS = _words(
    "holder postholder jobholder incumbent role position job post employee worker individual person"
    " appointee candidate he she they staff clinician associate officer manager assistant"
    " specialist technician analyst coordinator supervisor engineer director clerk nurse intern"
)
_OTHERS = _words(
    "team teams company firm agency organisation organization group department school hospital"
    " university college city county council ward trust business client clients customer customers"
    " guest guests user users product platform people candidates applicants employer employers"
    " members readers students parents policy budget system service services program programs"
    " office offices center centre society market industry applicant"
)
_APPLICANTS = _words(
    "applicants candidates applicant clients customers guests users members students people"
    " employers team teams"
)
_DETERMINERS = _words(
    "the this an a each our all most many some these other and as in every successful"
)
_TO_APPLICANTS = re.compile(
    r"(?:please|apply|send|e-?mail|contact|call|text|ring|message|click|join|stop by|drop|tell us"
    r"|refer an?|submit|note|see|read|learn|visit|come|share|make sure|show|start|review|follow"
    r"|tap|build|check|get|talk|set|ask|take)\b"
    r".{0,60}\b(?:us|our|your|you|yourself|me|application|resume|résumé|cv|apply|friend|more|website"
    r"|link|details|jobs?@|now|today|by noon|here|\d{5,})\b"
)
_SAID_BY_EMPLOYER = re.compile(
    r"(?:at [\w&.' -]{2,40}, )?"
    r"(?:(?:and|but|so|because|here|today|since \d+|as an? [\w -]{2,40}),? )?"
    r"(?:we|our|us|my|i|it|it's|there|what|why|everyone|nobody|someone|somebody|no|if you"
    r"|\(?you can|you(?:'ll| will)? (?:work|join) (?:here|us))\b"
    r"|(?:[^,]{0,60}, )?you\b"
)
_LEAD_IN = re.compile(
    r"(?:reporting|working|together|from time to time|as|under|in|on|at|with|within|during|when"
    r"|once|after|each|every|by|for)\b[^,.;]{0,80}, (?=[a-z])|from time to time "
)
_TITLE_FACT = re.compile(
    r"(?:job title|position title|position|title|role|post)\s*: *(.{3,80})", re.I
)
_TITLE_ENDS = re.compile(r" [-–—|@/] |[,(|@]| at ")
_SOUGHT = re.compile(
    r"\b(?:looking for|seeks?|seeking|hiring|recruiting|as|need|appoint) an?"
    r" ((?:[\w-]+ ){0,5}?[\w-]+)"
    r"(?=[,.;:]| (?:to|who|for|in|at|on|with|is|you|we|will)\b)"
)


def is_task_like(text: str) -> bool:
    """Whether a list item begins as tasks do, with what is done.

    Args:
        text: The item; a label before a colon or a dash does not count.
    """
    lowered = _SHARE.sub("", text[:_LOOKED_AT].lower(), count=1)
    if _begins_with_verb(lowered) or lowered.startswith(_WORKS):
        return not _TO_APPLICANTS.match(lowered)
    label = _LABEL.match(lowered)
    return label is not None and _begins_with_verb(lowered[label.end() :])


def is_of_holder(sentence: str, titles: frozenset[str] = frozenset()) -> bool:
    """Whether a sentence of prose says what the job's holder does.

    Args:
        sentence: One sentence.
        titles: Words of the job's title, see `titles_of`.
    """
    lowered = _lowered(sentence)
    if any(_is_work_of_you(match[1].split()) for match in _YOU.finditer(lowered)):
        return True
    lowered = _without_lead_in(lowered)
    if _RESPONSIBLE.search(lowered):
        return True
    wanted = _WANTED_TO.search(lowered)
    if wanted and _is_work([wanted[1]]):
        return True
    if is_of_others(sentence):
        return False
    return _begins_with_verb(lowered) or _has_holder_as_subject(lowered, titles)


def is_of_others(sentence: str) -> bool:
    """Whether a sentence begins with somebody else, or speaks to those who may apply."""
    lowered = _lowered(sentence)
    return bool(_SAID_BY_EMPLOYER.match(lowered) or _TO_APPLICANTS.match(lowered))


def begins_with_others(sentence: str) -> bool:
    """Whether its subject is the employer, or those who may apply: "they" after it are these."""
    words = _WORD.findall(_lowered(sentence)[:80])[:4]
    return not _APPLICANTS.isdisjoint(words) or is_of_others(sentence)


def titles_of(texts: Iterable[str]) -> frozenset[str]:
    """The words of the job's title, lower case and singular: what a document begins with or seeks.

    Args:
        texts: The document's blocks, in order.
    """
    lines = list(islice((text for text in texts if text), _BLOCKS_LOOKED_AT))
    named = [match[1] for line in lines for match in _SOUGHT.finditer(line[:2000])]
    named += [match[1] for line in lines if (match := _TITLE_FACT.match(line))]
    if lines and len(lines[0]) <= 100:
        named.append(_TITLE_ENDS.split(lines[0], maxsplit=1)[0])
    words = {word for name in named for word in _WORD.findall(name.lower()) if len(word) > 2}
    return frozenset(word.removesuffix("s") for word in words) - _OTHERS


def _lowered(text: str) -> str:
    return text[:_LOOKED_AT].lower().replace("’", "'")


def _without_lead_in(lowered: str) -> str:
    match = _LEAD_IN.match(lowered)
    return lowered[match.end() :] if match else lowered


def _is_work(words: list[str]) -> bool:
    """Whether words begin with a verb that says what the work is."""
    first, after = [*words, "", ""][:2]
    if first in _NO_WORK or first.removesuffix("s") in _NO_WORK:
        return False
    if first.startswith("report") and after in ("to", "directly"):
        return False
    return is_verb(first) and words[:3] != ["make", "a", "difference"]


def _is_work_of_you(words: list[str]) -> bool:
    for at, word in enumerate(words):
        if word in _BETWEEN or word.endswith("ly"):
            continue
        if word in ("responsible", "accountable", "do", "doing"):
            return True
        if words[at : at + 2] == ["work", "the"]:
            return True
        return word not in _NO_WORK_OF_YOU and _is_work(words[at:])
    return False


def _begins_with_verb(lowered: str) -> bool:
    words = _WORD.findall(lowered[:80])[:4]
    while words and not is_verb(words[0]):
        if words[0] not in ("to", "and", "then", "also") and not words[0].endswith("ly"):
            return False
        words = words[1:]
    return bool(words) and words[0] not in _NO_ORDER and _is_work(words)


def _has_holder_as_subject(lowered: str, titles: frozenset[str]) -> bool:
    """Whether it begins as "The technician tests ..." or "The post holder will also ..." do."""
    words = _WORD.findall(lowered[:160])[:12]
    names = titles | _HOLDERS
    if not words or not (words[0] in _DETERMINERS or words[0].removesuffix("s") in names):
        return False
    will = _WILL.match(lowered)
    if will and _OTHERS.isdisjoint(will[1].split()) and _is_work_of_you([will[2]]):
        return True
    for at, (word, after) in enumerate(pairwise(words), start=1):
        if (word in _OTHERS and after.removesuffix("s") not in names) or word.endswith("'s"):
            return False
        if word.removesuffix("s") in names and after not in titles:
            rest = [w for w in words[at:] if w not in _BETWEEN and not w.endswith("ly")]
            if _is_work(rest):
                return True
    return False
