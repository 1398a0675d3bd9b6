"""Which tasks speak to a model rather than of work: each of them is asked about alone.

Not a filter: such a task is labelled like any other, but no other task is in its call, so that
whatever it talks the model into moves its own label only.
"""

from __future__ import annotations

import re
import unicodedata

_LONGEST_WORD = 40
_SPEAKS = re.compile(
    # To whoever reads it.
    r"\b(?:ignore|disregard|forget|override|bypass|overrule|obey|pretend|act as|you are (?:now|an?)"
    r"|you must|you should|as an? (?:ai|llm|assistant)|new instructions?"
    r"|follow(?:ing)? instructions?|instructions? (?:above|below|before|of the)"
    r"|system (?:prompt|message|override|note|notice)|prompt|chatgpt|gpt\w*|llms?|language models?"
    r"|assistant|chatbot|openai|claude|gemini|dear model|developer mode|jailbreak|dan mode"
    r"|admin(?:istrator)? override|end of (?:tasks?|data|document)|note to|attention"
    r"|important:|remember:|hint:|warning:|p\.?s\.?:)"
    # Of labels, of the other tasks, of the answer.
    r"|\b(?:e ?[012]\b|label\w*|rubric|exposure|exposed|canary|unexposed|classif\w+"
    r"|scor(?:e|es|ed|ing)|rat(?:e|ed|ing|ings)\b|grad(?:e|ed|ing)\b|zero|maximum|minimum"
    r"|mark(?:ed)? (?:as|it|them|all|this|every)|automation|automatable|augmentation)"
    r"|\b(?:all|every|each|any|other|others|these|those|the|this|first|last|next|previous|above"
    r"|below|following|preceding|remaining|second|third) (?:\w+ )?(?:tasks?|items?|entries|lines?"
    r"|rows?|numbers?|bullets?|answers?)\b|\b(?:task|item|entry|number|no\.?|n) ?[#=:]? ?\d"
    r"|\b(?:json|xml|yaml|markdown|schema|base64|output|answer (?:with|only|in|that)"
    r"|respond (?:with|only|in|to this)|reply (?:with|only|in|to this)|say only|print|repeat after"
    r"|return (?:only|the|an?|json|empty)|nothing else|instead of|from now on)\b"
    # In other languages.
    r"|\b(?:ignorier\w*|vergiss|anweisung\w*|aufgaben? (?:oben|unten)|alle aufgaben|bewert\w+"
    r"|ignore[zr]|oublie\w*|toutes les t[âa]ches|instrucciones|todas las tareas|olvida|ignora\w*"
    r"|tutti i compiti|todas as tarefas|negeer|alle taken)\b"
    r"|指示|無視|忽略|指令|タスク|任务|игнорир|инструкц|задани",
    re.IGNORECASE,
)
# Marks that stand in no sentence about work: markup, code, roles of a chat, escapes.
_MARKS = re.compile(
    r"[<>{}\[\]`\\|=]|#{2,}|\*{2,}|-{3,}|_{2,}|\"\w+\" ?:|\b(?:system|user|assistant|human|ai) ?:"
    r"|[\u0000-\u001f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]",
    re.IGNORECASE,
)


# Words written so that only a model reads them.
_DISGUISED = re.compile(
    r"(?:\b\w[ .-]){5,}|[^\W\d_]\d[^\W\d_]|[a-z][\u0370-\u052f]|[\u0370-\u052f][a-z]", re.IGNORECASE
)


def speaks_to_a_model(task: str) -> bool:
    """Whether a task may be meant for whoever labels it.

    Args:
        task: As read from the document.
    """
    task = unicodedata.normalize("NFKC", task)
    if _SPEAKS.search(task) or _MARKS.search(task) or _DISGUISED.search(task):
        return True
    return any(len(word) > _LONGEST_WORD for word in task.split())
