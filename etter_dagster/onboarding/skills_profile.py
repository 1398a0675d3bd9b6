"""The optional step `skills`: which skills a role needs, and how exposed their tasks are."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence

from etter_dagster.model.assessment import AssessedTask
from etter_dagster.model.documents import DocumentType, text_hash
from etter_dagster.model.errors import NotFound
from etter_dagster.model.skills import RoleSkill
from etter_dagster.onboarding.reporting import Materialization
from etter_dagster.onboarding.steps import Step, StepContext, StepResult

MAX_SKILLS = 40
MAX_SKILL_LENGTH = 120
_HEADING = re.compile(r"^\s{0,3}(?:#{1,6}\s*(?P<md>.+?)\s*#*|(?P<plain>[A-Z][^.:]{0,60}):)\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+•–]|\d{1,3}[.)])\s+(?P<text>.+)$")
_SKILL_HEADING = re.compile(r"\b(skills?|competenc|proficienc|qualities|abilities|tools)", re.I)
_WORD = re.compile(r"[a-z][a-z+#.-]{2,}")
_WEAK = frozenset(
    [
        "and",
        "the",
        "with",
        "for",
        "ability",
        "able",
        "strong",
        "good",
        "skills",
        "skill",
        "knowledge",
        "experience",
        "excellent",
        "working",
        "understanding",
        "using",
        "use",
        "proficiency",
        "proficient",
        "familiarity",
        "work",
        "high",
        "level",
        "other",
        "such",
    ]
)


class SkillsProfile(Step):
    """Mines skills from the JD and the taxonomy and links them to the role."""

    name = "skills"
    sub_state = "skills_analysis"
    assets = ("skills_profile",)

    async def run(self, context: StepContext) -> StepResult:
        """Reads the linked JD and the assessment; replaces the role's skills."""
        started = time.monotonic()
        graph, claim = context.services.graph, context.claim
        role = await graph.role(claim.push.role_id)
        if role is None:
            raise NotFound(claim.push.role_id)
        documents = await graph.documents(role.role_id)
        jd = "\n".join(d.content for d in documents if d.type is DocumentType.JOB_DESCRIPTION)
        assessment = await graph.current_assessment(role.role_id)
        known = role.taxonomy.skills if role.taxonomy else ()
        skills = role_skills(jd, known, assessment.tasks if assessment else ())
        await graph.put_skills(role.role_id, skills, token=claim.token)
        await context.report(
            Materialization(
                asset="skills_profile",
                role_id=role.role_id,
                metadata={
                    "company": role.company_id,
                    "role": role.role_name,
                    "skills": [
                        {"skill": s.name, "exposure": s.exposure, "tasks": len(s.tasks)}
                        for s in skills
                    ],
                    "duration_seconds": round(time.monotonic() - started, 4),
                },
                data_version=text_hash(repr([(s.name, s.exposure) for s in skills]))[:16],
                code_version=self.code_version,
            )
        )
        return StepResult(outputs={"skills": len(skills)})


def role_skills(
    jd: str, known: Iterable[str], tasks: Sequence[AssessedTask]
) -> tuple[RoleSkill, ...]:
    """The skills of a role, each with the mean score of the tasks that share a word stem with it.

    Args:
        jd: The JD's text.
        known: Skills that the taxonomy names.
        tasks: The assessed tasks.
    """
    names = list(dict.fromkeys([*(k.strip() for k in known), *mined_skills(jd)]))[:MAX_SKILLS]
    stems = [(task, _stems(task.task)) for task in tasks]
    return tuple(_skill(name, stems) for name in names if name)


def mined_skills(jd: str) -> list[str]:
    """Items of lists that stand under a heading about skills, in the JD's order."""
    found: list[str] = []
    inside = False
    for line in jd.splitlines():
        line = line[:2000]
        if heading := _HEADING.match(line):
            inside = bool(_SKILL_HEADING.search(heading["md"] or heading["plain"] or ""))
        elif inside and (item := _ITEM.match(line)):
            text = re.sub(r"[*_`]+", "", item["text"]).strip().rstrip(".;,")
            if 2 < len(text) <= MAX_SKILL_LENGTH:
                found.append(text)
    return found


def _skill(name: str, stems: Sequence[tuple[AssessedTask, frozenset[str]]]) -> RoleSkill:
    mine = _stems(name)
    using = [task for task, theirs in stems if mine & theirs]
    exposure = round(sum(t.score for t in using) / len(using), 1) if using else None
    return RoleSkill(name=name, exposure=exposure, tasks=tuple(t.task for t in using))


def _stems(text: str) -> frozenset[str]:
    """Words cut to six letters: a stemmer would be a dependency for little gain here."""
    return frozenset(w[:6] for w in _WORD.findall(text.lower()) if w not in _WEAK)
