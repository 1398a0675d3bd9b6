"""The signs of a JD, in the languages and styles that people write them in."""

from __future__ import annotations

from etter_dagster.assessors.quality.cues import Cue, cue

SIGNS: tuple[Cue, ...] = (
    # What the work is.
    cue(
        r"\b(?:responsibilit\w+|responsible for|accountabilit\w+|duties|job description|job title"
        r"|role purpose|purpose of the (?:post|role|job)|key tasks|main tasks|essential functions"
        r"|what you(?:'|’)?(?:ll| will)? do|the (?:role|job|work):?$|deliverables|typically do)\b",
        2,
    ),
    cue(r"^\W*(?:(?:key|main|job) )?(?:responsibilities|duties|tasks)\W*$"),
    cue(r"^\W*(?:(?:key|main|job) )?(?:requirements|qualifications|person specification)\W*$", 2),
    cue(r"\b(?:you(?:'|’)?ll|you will|you would|your role|as an? \w+ you)\b", 2),
    cue(
        r"\b(?:postholder|post holder|successful candidate|the (?:ideal )?candidate|applicants?"
        r"|person specification|reports to|reporting to|line manag\w+)\b",
        2,
    ),
    # How one gets it.
    cue(
        r"\b(?:wanted|vacancy|vacancies|we(?:'|’)?re looking for|we are (?:looking for|seeking"
        r"|hiring)|seeks? an?|join (?:us|our|the)|now hiring|internship|apply|required for)\b"
    ),
    cue(
        r"\b(?:requirements?|qualifications?|qualified|must have|must hold|essential:|desirable"
        r"|preferred|ideally you|degree in|certificat\w+|licen[cs]e|registration|no experience"
        r"|competenc\w+|needs? \d+ years|\d+\+? ?years?(?:'|’)?(?: of)?"
        r"|experience (?:in|of|with|as)|knowledge of|skills)\b"
    ),
    # What it brings.
    cue(
        r"\b(?:full[- ]time|part[- ]time|fixed[- ]term|permanent|shifts?|rota|hours (?:a|per) week"
        r"|\d+ hours|hrs|per hour|an hour|/hr|per day|a month|per annum|salary|pay range|wage|bonus"
        r"|equity|pension|holiday|benefits|overtime|on call|on-call|remote|hybrid|weekends)\b"
    ),
    # Work in its usual words.
    cue(
        r"(?:^|[.:;,]\s+|\band\s+|\bto\s+|[-*•]\s+|\)\s+)(?:administ|advis|analy[sz]|answer|arrang"
        r"|assess|assist|attend|build|call|carry out|check|clean|coach|collect|compar|complet"
        r"|conduct|coordinat|co-ordinat|creat|deal|deliver|deploy|design|develop|direct|document"
        r"|draft|draw|driv|enforc|ensur|escalat|evaluat|examin|fil[ei]|follow|forecast|giv|greet"
        r"|guid|handl|help|implement|inspect|install|interview|investigat|issu|keep|lead|liais|load"
        r"|log|maintain|manag|measur|meet|mentor|monitor|negotiat|operat|order|organi[sz]|oversee"
        r"|pack|patrol|perform|pick|plan|prepar|present|process|produc|provid|recommend|reconcil"
        r"|record|recruit|repair|report|respond|restock|review|run|schedul|screen|select|sell|serv"
        r"|set up|settle|supervis|support|take|teach|test|track|train|translat|troubleshoot|unload"
        r"|updat|welcom|work|writ)(?:e|es|s|ing|ting|ning|ming|ping|y|ies|ying|e[sd])?\b",
        2,
        least=3,
    ),
    # In other languages.
    cue(
        r"\(m/w/d\)|\bh/f\b|\bm/f/x\b|\b(?:ihre aufgaben|deine aufgaben|ihr profil|dein profil"
        r"|wir bieten|wir suchen|suchen wir|gesucht|stellenbeschreibung|vos missions|missions"
        r"|profil recherch\w+|nous recherchons|fiche de poste|funciones|requisitos|se ofrece"
        r"|buscamos|puesto de|wij zoeken|wij bieden|functieomschrijving|mansioni|requisiti"
        r"|offriamo|cerchiamo|responsabilidades|atividades|zakres obowiązków|oferujemy"
        r"|arbetsuppgifter|vi söker)\b|募集|応募|仕事内容"
        r"|岗位职责|任职要求|职位描述|담당업무|자격요건",
        3,
    ),
)
