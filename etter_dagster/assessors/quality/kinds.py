"""What a document can be that is no JD, and the signs of each kind."""

from __future__ import annotations

from dataclasses import dataclass

from etter_dagster.assessors.quality.cues import Cue, cue, exact

_PRICE_AT_END = r"^\S.{0,80}\s[€£$]? ?\d{1,4}[.,]\d\d ?[€£$]?(?:\s?eur)?$"
_AMOUNT = r"[€£$] ?\d[\d,.]*\d|\d[\d.,]*[.,]\d\d\b"


@dataclass(frozen=True)
class DocumentKind:
    """A kind of document: what it is called in a sentence, and its signs."""

    name: str
    cues: tuple[Cue, ...]


KINDS: tuple[DocumentKind, ...] = (
    DocumentKind(
        "a meeting's agenda or minutes",
        (
            cue(r"^\W*protokoll d|^\W*tagesordnung\b|^\W*ordre du jour\b|\bcompte rendu de", 2),
            cue(r"^\W*(?:anwesend|entschuldigt|présents)\b|^\W*top \d", 2),
            cue(
                r"^\W*\d{1,2}[:.]\d\d\b.{0,60}\b(?:welcome|coffee|break|lunch|wrap-up|introductions)",
                3,
                least=2,
            ),
            cue(r"^\W*(?:meeting )?agenda\b", 2),
            cue(r"^\W*(?:attendees|present|apologies|participants)\b", 2),
            cue(r"^\W*minutes of\b|approval of .{0,30}minutes|minutes of .{0,30}approved", 2),
            cue(r"approve the minutes|last week(?:'|’)s minutes", 1),
            cue(r"^\W*(?:any other business|aob)\b", 2),
            cue(r"\b(?:next (?:meeting|sync)|meeting closed|meeting (?:held|opened))\b", 2),
            cue(r"^\W*action items?\b|\baction:|^\W*decision:|it was agreed", 1),
            cue(r"\b\d{1,2}[:.]\d\d ?(?:-|–|to|am|pm)", 1),
        ),
    ),
    DocumentKind(
        "an invoice",
        (
            cue(
                r"^\W*(?:quotation|quote|delivery note|purchase order|credit note|angebot|devis"
                r"|lieferschein|packing list)\b",
                2,
            ),
            cue(
                r"\b(?:net|gross|gst|ctn|cartons|batch|gross weight|valid until|ship (?:from|to)"
                r"|prices are firm)\b",
                2,
                least=2,
            ),
            cue(r"^\W*(?:tax )?invoice\b|^\W*rechnung\b|^\W*facture\b", 2),
            cue(r"\binvoice (?:no|number|date|#)\W{0,3}\d|#inv|\brechnungs(?:datum|nr|nummer)", 2),
            cue(
                r"\b(?:bill to|ship to|po number|purchase order no|customer (?:no|number)"
                r"|kundennummer)\b",
                1,
            ),
            cue(r"\bsub-?total\b.{0,60}\d|\bzwischensumme\b", 2),
            cue(r"\b(?:total|balance|amount) due\b.{0,60}\d|\bgesamtbetrag\b|\btotal ttc\b", 2),
            cue(r"\b(?:vat|mwst|sales tax|tva|iva)\b.{0,12}\d|\d ?%.{0,5}(?:vat|mwst|tva)", 1),
            cue(r"\b(?:unit price|qty|quantity|pos\. \d)\b", 1),
            cue(r"\b(?:payment terms|due date|please (?:pay|remit)|iban|sort code|zahlbar)\b", 1),
            cue(_AMOUNT, 1, least=3),
        ),
    ),
    DocumentKind(
        "a receipt",
        (
            cue(r"\b(?:receipt|quittung|kassenbon)\b", 2),
            cue(r"^\W*(?:total|summe|change|cash|card|bar bezahlt)\b.{0,40}", 2, least=2),
            cue(r"thank you for (?:shopping|your (?:purchase|visit))|\btill \d|vielen dank", 2),
            cue(_PRICE_AT_END, 2, least=3),
        ),
    ),
    DocumentKind(
        "a menu or price list",
        (
            cue(r"^\W*(?:\w+ )?menu\W*$|^\W*(?:price list|preisliste|speisekarte)\W*$", 2),
            cue(
                r"^\W*(?:starters?|mains?|main courses?|desserts?|sides|drinks|antipasti|primi"
                r"|secondi|dolci|entrées|plats|vorspeisen|hauptgerichte)\W*$",
                3,
                least=2,
            ),
            cue(r"\ballerg\w+|service charge|\(v\)|\bcoperto\b", 1),
            cue(r"^\S.{0,80}\s[€£$]? ?\d{1,3}(?:[.,]\d\d)? ?€?$", 2, least=4),
        ),
    ),
    DocumentKind(
        "a contract or terms",
        (
            cue(
                r"permission is hereby granted|without warranty|\"as is\"|redistribution and use"
                r"|copyright (?:\(c\)|©) ?\d|all rights reserved|licensed under the",
                2,
            ),
            cue(
                r"merchantability|consequential damages|public license|\blicensor\b"
                r"|\bthis license\b",
                2,
            ),
            cue(
                r"\b(?:lender|borrower|warrant[ys]?|undertakes to|place of jurisdiction"
                r"|proof of purchase|limited warranty|defects in material)\b",
                2,
                least=2,
            ),
            cue(r"\b(?:instalments|does not cover|interest rate|default exceeding)\b", 1),
            cue(r"\b(?:whereas|now,? therefore|in witness whereof|hereinafter|aforesaid)\b", 2),
            cue(r"\bthis (?:agreement|contract|lease|tenancy) (?:is|shall|may|becomes)\b", 2),
            cue(r"^\W*(?:\w+ ){0,2}(?:agreement|lease|terms and conditions\b.{0,30})\W*$", 2),
            cue(r"\b(?:the parties|either party|neither party|each party|third party)\b", 1),
            cue(r"\bgovern(?:ed by|ing law)\b|\blaws of\b", 1),
            cue(r"\b(?:indemnif\w+|limitation of liability|not be liable|force majeure)\b", 1),
            cue(r"\bshall\b", 1, least=3),
            cue(
                r"\bthe (?:supplier|customer|landlord|tenant|buyer|seller|licensee|recipient"
                r"|disclosing party|receiving party)\b",
                2,
                least=2,
            ),
            cue(r"^\W*signature|\bsigned by the\b|_{8,}", 1),
        ),
    ),
    DocumentKind(
        "program code or configuration",
        (
            exact(r"^Traceback \(most recent call last\)|^\s+File \".+\", line \d+", 4),
            exact(r"^\s*[\w.-]+:(?: [\w\"'./:-]+)?$", 4, least=6),
            exact(r"^\s*(?:pip install|npm install|git clone|import \w+$|\$ \w+|>>> )", 2),
            exact(r"^\s*(?:def|class) \w+.*:$|^\s*(?:import|from) [\w.]+|^\s*return\b", 2),
            exact(
                r"^\s*(?:const|let|var|function|async|public|private|static|package|using"
                r"|#include|func|fn) .*[;{(=]",
                3,
                least=2,
            ),
            exact(r"[;{}]\s*$", 2, least=3),
            exact(r"^\s*(?:CREATE TABLE|INSERT INTO|SELECT .* FROM|UPDATE \w+ SET|ALTER TABLE)", 4),
            exact(r"^\s*\"[\w.-]+\"\s*:\s*[\[{\"\d]", 4, least=3),
            exact(r"\w\(.*\)\s*(?:;|:|\{|=>)\s*$|^\s*(?:if|for|while)\b.*[:{]\s*$", 2, least=2),
        ),
    ),
    DocumentKind(
        "a program's log",
        (
            exact(
                r"^(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d )",
                4,
                least=3,
            ),
            exact(r"\b(?:INFO|WARN|ERROR|DEBUG)\b.{0,200}$", 1, least=2),
            exact(r"^\s+at [\w.$]+\(|\w\[\d+\]:", 1),
        ),
    ),
    DocumentKind(
        "filler text",
        (
            cue(
                r"\b(?:tbd|to be completed|insert (?:text|description)|blah|text text)\b",
                4,
                least=3,
            ),
            cue(r"\blorem ipsum\b", 2),
            cue(
                r"\b(?:dolor|amet|consectetur|adipiscing|elit|eiusmod|tempor|incididunt|labore"
                r"|magna|aliqua|veniam|nostrud|exercitation|ullamco|aliquip|commodo|consequat"
                r"|perspiciatis|voluptat\w+|accusantium|doloremque|laudantium|inventore|veritatis"
                r"|architecto|aspernatur)\b",
                4,
                least=8,
            ),
        ),
    ),
    DocumentKind(
        "a person's CV",
        (
            cue(r"^\W*(?:curriculum vitae|r[ée]sum[ée]|lebenslauf|cv)\W*$", 3),
            cue(
                r"\b(?:19|20)\d\d ?(?:-|–|to) ?(?:(?:19|20)\d\d|present|now|heute|today|current)", 2
            ),
            cue(
                r"\b(?:19|20)\d\d ?(?:-|–|to) ?(?:\w+ |\d\d/)?(?:(?:19|20)\d\d|present|now|heute"
                r"|today|current)",
                2,
                least=2,
            ),
            cue(r"\bdate of birth\b|\bnationality\b|\bgeboren am\b|\bmarital status\b", 2),
            cue(
                r"\breferences (?:are )?available\b|^\W*(?:hobbies|hobbys|interests)\b"
                r"|\bhobbies:",
                2,
            ),
            cue(
                r"^\W*(?:languages|sprachkenntnisse|work history|employment history"
                r"|berufserfahrung|career objective)\b",
                1,
            ),
            cue(r"\b[\w.]{1,40}@[\w.]{1,60}\.\w|linkedin\.com/in", 1),
            cue(r"\bi (?:developed|managed|led|worked|was|am|hereby)\b", 1),
            cue(r"\b(?:reduced|increased|cut|grew|won|achieved|led)\b.{0,60}\d+ ?%?", 1),
        ),
    ),
    DocumentKind(
        "a letter",
        (
            cue(
                r"^\W*dear (?:mr|ms|mrs|dr|sir|madam|candidate|\w+,)|^\W*to whom it may concern", 2
            ),
            cue(
                r"^\W*(?:yours (?:sincerely|faithfully|truly)|kind regards|best wishes"
                r"|with kind regards|mit freundlichen)",
                2,
            ),
            cue(
                r"\bi (?:am|was) (?:writing to|delighted|pleased|applying)\b"
                r"|\bmy (?:application|cv|r[ée]sum[ée])\b",
                2,
            ),
            cue(
                r"\bpleased to offer you\b|\bregret to inform\b|\bsign and return\b"
                r"|\bpleased to recommend\b|\bno hesitation\b",
                3,
            ),
            cue(
                r"\blook forward to (?:hearing|meeting)|wish (?:you|her|him) every success"
                r"|hesitate to contact|\b(?:enclosed|attached)\b",
                1,
            ),
            cue(r"\bi (?:have|was|am|believe|would)\b", 1, least=2),
        ),
    ),
    DocumentKind(
        "an e-mail",
        (
            cue(r"\bunsubscribe\b|you receive this (?:message|e-?mail)", 3),
            cue(
                r"^\W*(?:moin|hallo|liebe kolleg|bonjour|hola)\b|\bviele grüße\b|\bcordialement\b",
                2,
            ),
            cue(r"\b(?:kurze info|meldet euch|bei fragen)\b|\bthis month:|\bread more\b", 2),
            cue(r"^\W*(?:from|to|cc|sent|subject|date): ?\S", 3, least=3),
            cue(r"^> ", 2),
            cue(r"\bon .{3,60} wrote:", 2),
            cue(r"^\W*(?:subject: ?)?(?:re|fw|fwd): ", 1),
            cue(r"forwarded message|sent from my \w+", 3),
            cue(r"^\W*(?:hi|hello|hey|dear)\b.{0,30},\W*$|^\W*hi \w+, ", 1),
            cue(r"^\W*(?:thanks|best|cheers|regards|best regards|thank you)\b.{0,40}$", 1),
            cue(
                r"\b(?:just a reminder|let me know|thanks for your (?:message|e-?mail)"
                r"|thank you for your (?:booking|order)|quick reminder)\b",
                2,
            ),
        ),
    ),
    DocumentKind(
        "a news article or press release",
        (
            cue(r"\bpassed away\b|\bis survived by\b|\bin lieu of flowers\b", 3),
            cue(r"\bfuneral\b|\bborn in\b", 1),
            cue(r"\bteilte .{0,40}mit\b|\bein sprecher\b|\bsagte\b|\ba déclaré\b", 2),
            cue(r"\bprognose\w*|\bministerium\w*|\bökonomen\b|\bdem bericht zufolge\b", 2),
            cue(r"for immediate release|^\W*press release|\b(?:media|press) contact\b", 3),
            exact(r"^[A-Z]{3,}(?: [A-Z]{2,})*,? (?:[A-Z][a-z]+\.? \d|\(|- |-- |– )", 2),
            cue(r"^\W*by [a-z]\w+ [a-z]\w+ ?(?:\||,|-|$)|\bpublished \d", 2),
            cue(
                r"[\"”“]\s?,? ?(?:said|says|told|added|he said|she said)\b|[\"“].{5,200}[\"”]"
                r"[^.\n]{0,60}\b(?:said|told)\b|\btold (?:the|reporters)\b|\bsaid [a-z]+ [a-z]",
                2,
            ),
            cue(
                r"\b(?:officials said|police said|a spokes\w+|analysts|according to|last night"
                r"|on (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
                1,
                least=1,
            ),
            cue(
                r"\b(?:announced|shares (?:in|fell|rose)|profit forecast|declined to comment"
                r"|ceremony|named|residents)\b",
                1,
            ),
            exact(r"[a-z], \d\d, ", 1),
        ),
    ),
    DocumentKind(
        "a recipe",
        (
            cue(r"^\W*ingredients\b|\bserves \d|\b\d servings\b|\byou need:", 2),
            cue(r"\b\d+ ?(?:g|ml|tsp|tbsp|kg|cups?|cloves|oz|tins)\b", 2, least=3),
            cue(
                r"\b(?:preheat|simmer|bake for|stir in|mash|whisk|fry the|bring to the boil"
                r"|season to taste|leave to cool|pour (?:in|into))\b",
                2,
                least=2,
            ),
        ),
    ),
    DocumentKind(
        "a privacy or cookie notice",
        (
            cue(r"^\W*(?:privacy|cookie) (?:policy|notice)\W*$", 2),
            cue(r"\b(?:analytics|necessary|use|these) cookies\b|\bcookie preferences\b", 1),
            cue(r"\bpersonal data\b|\bgdpr\b|\bdata protection officer\b", 1),
            cue(
                r"\bwhen you (?:use|visit)\b|\bwithdraw your consent\b|\bretain your data\b"
                r"|\bwith your consent\b",
                2,
            ),
            cue(r"\blast updated\b|\bthis policy (?:explains|applies)\b", 1),
        ),
    ),
    DocumentKind(
        "a product's manual",
        (
            cue(
                r"^.{0,60}\b(?:quick start guide|user (?:guide|manual)|operating instructions)\W*$"
                r"|^\W*how to (?:replace|install|set up|change|clean|reset)\b",
                2,
            ),
            cue(
                r"\b(?:plug it in|unplug|power button|turn (?:off|on) the|turn the \w+ (?:off|on)"
                r"|press the|led (?:turns|flashes)|open the (?:front )?cover|close the cover)\b",
                2,
                least=2,
            ),
            cue(
                r"\b(?:troubleshooting|warranty|before (?:first )?use|out of reach of children"
                r"|do not (?:immerse|touch|open|use)|caution|persists)\b",
                1,
                least=1,
            ),
            cue(r"\b(?:troubleshooting|warranty|safety:|caution:|do not \w+)\b", 1, least=2),
        ),
    ),
    DocumentKind(
        "a research paper",
        (
            cue(r"^\W*abstract\W*$|^\W*keywords:", 2),
            cue(
                r"\bin this paper\b|\bwe (?:propose|study|evaluate the|show that|find (?:no|that"
                r"|a))\b",
                2,
            ),
            cue(
                r"\b(?:statistically significant|p ?[=<] ?0?\.\d|regression|ablation|baseline"
                r"|benchmark datasets?|related work|et al)\b",
                1,
            ),
            cue(r"\[\d{1,2}(?:, ?\d{1,2})*\]|^\W*references\b|\b(?:table|fig\.?) \d", 1),
            cue(r"\b(?:our results|further research|future research|experiments are)\b", 1),
        ),
    ),
    DocumentKind(
        "a financial statement",
        (
            cue(r"\b(?:account|bank) statement\b|\bbalance sheet\b", 1),
            cue(r"\b(?:opening|closing) balance\b|\btotal assets\b|\bliabilities\b.{0,40}\d", 2),
            cue(r"\b(?:debit|credit)\b|\btrade receivables\b|\bebitda\b|\bequity\b.{0,30}\d", 1),
            cue(r"^\S.{0,60}?(?:\s{2,}|\t)[\d,.]+\d(?:\s{2,}|\t)[\d,.]*\d\s*$", 2, least=3),
        ),
    ),
    DocumentKind(
        "an itinerary or timetable",
        (
            cue(r"\b(?:itinerary|timetable|boarding pass)\b", 2),
            cue(
                r"\b(?:depart|arrive|check-?in|check-?out|flight|booking reference|seat \d+)\b",
                2,
                least=3,
            ),
            cue(r"^\W*(?:(?:mon|tue|wed|thu|fri|sat|sun)\w*\s+){3}", 2),
            cue(r"\b\d{1,2}:\d\d\b", 1, least=4),
        ),
    ),
    DocumentKind(
        "a chat",
        (
            cue(r"^\W*\d\d?:\d\d\W+\w+:", 4, least=3),
            cue(r"^(?:agent|customer|user|support|bot|visitor): ", 4, least=3),
            cue(r"\b(?:lol|haha|yep|btw)\b|\?\?", 1),
        ),
    ),
    DocumentKind(
        "release notes",
        (
            cue(r"^(?:[*#=-]+ ?)?(?:version )?v?\d+\.\d+(?:\.\d+)?\b.{0,30}$", 3, least=3),
            cue(r"^\W*(?:release notes|changelog|what(?:'|’)s new)\b", 2),
            cue(r"^\W*(?:added|fixed|changed|removed|deprecated)\b", 2, least=3),
            cue(r"\(#\d+\)|\bv?\d+\.\d+\.\d+\b", 1),
        ),
    ),
    DocumentKind(
        "a support ticket",
        (
            cue(r"^\W*ticket #?\d|\bticket id\b", 2),
            cue(r"\b(?:status|priority|severity): ?(?:open|closed|high|low|medium|new)\b", 2),
            cue(r"\b(?:reported by|assigned to|steps to reproduce|cannot reproduce)\b", 2),
            cue(r"^\W*(?:expected|actual)(?: result)?:", 1),
        ),
    ),
    DocumentKind(
        "a story or poem",
        (
            cue(r"\bonce upon a time\b|\bhappily ever after\b", 3),
            cue(r"\b(?:whispered|laughed|cried|begged|sighed|murmured|shouted)\b", 2),
            cue(r"[\"“][^\"”\n]{3,120}[,.!?][\"”]", 1),
            cue(r"\b(?:she|he|her|his|him)\b", 1, least=4),
            cue(
                r"\b(?:was|were|had|sat|stood|came|drew|watched|knocked|opened|swallowed|lived)\b",
                1,
                least=4,
            ),
            cue(r"^.{10,60}[,;]\n.{10,60}[.;,!]$", 1, least=2),
        ),
    ),
    DocumentKind(
        "an advertisement for a product or a flat",
        (
            cue(
                r"\b(?:add to (?:cart|basket)|free shipping|in stock|customer reviews"
                r"|out of 5 stars|buy now)\b",
                2,
            ),
            cue(r"\bsku\b|\bcolou?rs:|\bfeatures:|\bonly [€£$]\d", 2),
            cue(
                r"\b(?:apartment|flat|house|bedroom)\b.{0,40}\bfor (?:rent|sale)\b|\bviewings?\b", 3
            ),
            cue(r"\bm²|\bsq\.? ?ft|\bfitted kitchen\b|\bper month plus\b|\benergy class\b", 2),
        ),
    ),
    DocumentKind(
        "a list of questions and answers",
        (
            cue(r"^\W*(?:frequently asked questions|faqs?)\W*$", 2),
            cue(r"^(?:how|what|can|do|which|where|when|is|are|why)\b.{5,100}\? ?", 2, least=3),
            cue(r"\b(?:click|sign-?in page|refunds?|your (?:plan|account|password))\b", 1, least=2),
        ),
    ),
    DocumentKind(
        "a medical record",
        (
            cue(r"\bdischarge summary\b", 1),
            cue(r"^\W*patient: ?\S|\bdob\b|\bnhs no\b|\bmrn\b", 2),
            cue(
                r"\b(?:admitted|diagnosis:|was discharged|follow-up:|presented with)\b", 2, least=2
            ),
            cue(r"\b\d+ ?(?:mg|mcg|ng/l|mmol)\b", 1),
        ),
    ),
    DocumentKind(
        "an exam paper or course outline",
        (
            cue(r"\(\d+ marks?\)|\btotal marks\b", 3, least=2),
            cue(r"\btime allowed\b|\banswer all questions\b|^\W*turn over\W*$", 2),
            cue(r"\bweek \d+:", 2, least=3),
            cue(
                r"\b(?:midterm|final exam|textbook|credits|lectures?:|grading:|syllabus)\b",
                2,
                least=2,
            ),
        ),
    ),
    DocumentKind(
        "a performance review",
        (
            cue(r"\b(?:performance review|appraisal form|annual review)\b", 2),
            cue(r"^\W*(?:employee|reviewer|review period)\b|\breviewer:", 2),
            cue(r"\boverall rating\b|\bexceeds expectations\b|\bachieved: ", 2),
            cue(r"^\W*(?:strengths|areas for improvement)\b|\bemployee comments\b", 1),
        ),
    ),
    DocumentKind(
        "a company's own description",
        (
            cue(r"\b(?:founded|established) in (?:1[89]|20)\d\d\b", 1),
            cue(r"\bour (?:story|products|brands?|journey|history)\b", 1),
            cue(r"\b(?:follow us|newsletter|subscribe|instagram)\b", 2),
            cue(r"\bsold in \d+|\bin \d+ countries\b|\bfamily[- ]owned|\bgrown into\b", 1),
        ),
    ),
    DocumentKind("slides", (cue(r"^\W*slide \d+\b", 4, least=2), cue(r"\bq&a\b|\byoy\b", 1))),
    DocumentKind(
        "a technical data sheet",
        (
            cue(r"\b(?:technical data|data ?sheet|specifications? sheet)\b", 2),
            cue(r"\b\d+(?:[.,]\d+)? ?(?:kw|v|hz|mm|kg|°c|m3/h|w|bar|rpm|nm)\b", 2, least=5),
            cue(r"\border no\b|\bprotection class\b|\bdimensions\b|\bip\d\d\b", 1),
        ),
    ),
    DocumentKind("a list of things", (cue(r"^\W*(?:shopping|packing|wish|guest) list\W*$", 4),)),
    DocumentKind(
        "a survey",
        (
            cue(r"\b(?:survey|questionnaire)\W*$", 2),
            cue(r"\bhow (?:satisfied|likely)\b", 2),
            cue(r"\( \)|\[ \]|_{5,}", 1, least=2),
            cue(r"\bthank you for completing\b", 2),
        ),
    ),
    DocumentKind(
        "an encyclopaedia article",
        (
            cue(r"^see also\b|\bsee also: |\bretrieved \d|\bcitation needed\b", 2),
            cue(r"\.\[\d+\]|\bdisambiguation\b", 2),
            cue(
                r"\bis (?:the|an?) [\w -]{3,40}(?:river|city|species|village|mountain|genus)\b",
                1,
            ),
            cue(r"\b\d[\d,.]* (?:km|square kilomet\w+|inhabitants)\b", 1),
        ),
    ),
)
