"""The service's answers, read. What is missing or out of bounds is an error, never a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.assessors.workflow_api.table import AI, HUMAN, tasks_of
from etter_dagster.model.assessment import AssessedTask, AssessmentOutputs, Scores
from etter_dagster.model.documents import text_hash
from etter_dagster.model.errors import TransientError

SUMMARY_CHARACTERS = 1200
_SAID_CHARACTERS = 300
_POTENTIALS = ("ai_automation_potential_score", "ai_augmentation_potential_score")
_JD_NAMES = ("jd_content", "job_description", "content", "text")


def read_object(body: str, what: str) -> dict[str, Any]:
    """The answer of a call that went well.

    Args:
        body: The answer's text.
        what: Which call, for errors.

    Raises:
        TransientError: It is no JSON object.
        AssessmentFailed: It says that there was an error.
    """
    try:
        found = _storable(json.loads(body))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TransientError(f"the answer of the assessment service ({what}) is no JSON object")
    if str(found.get("status", "")).lower() == "error":
        said = str(found.get("message") or "it gives no reason")[:_SAID_CHARACTERS]
        raise AssessmentFailed(f"the assessment service ({what}) says: {said}")
    return found


def read_id(body: str, name: str, what: str) -> str:
    """An id that a free call gives.

    Raises:
        TransientError: The answer is no JSON object.
        AssessmentFailed: It is an error, or lacks the id.
    """
    found = read_object(body, what).get(name)
    if not isinstance(found, (str, int)) or not str(found):
        raise AssessmentFailed(f"the answer of the assessment service ({what}) lacks {name}")
    return str(found)


def read_assessment(body: str, jd: str) -> AssessmentOutputs:
    """An assessment; `provenance` has the service's ids and whether it assessed our JD.

    Args:
        body: The answer's text.
        jd: The text that we linked.

    Raises:
        TransientError: It is no JSON object.
        AssessmentFailed: It is an error, or a score is missing or outside 0-100.
    """
    answer = read_object(body, "run-ai-assessment")
    data = _object(answer.get("assessment_data"))
    results, final = _object(data.get("step_results")), _object(data.get("final_output"))
    numbers = {**final, **_object(results.get("ai_impact_quantification"))}
    tasks = tasks_of(results.get("ai_impact_assessment"))
    matches = _matches(results.get("fetch_job_description"), jd)
    return AssessmentOutputs(
        scores=Scores(
            ai_automation_score=_score(answer, "ai_automation_score"),
            ai_automation_potential_score=_score(numbers, _POTENTIALS[0]),
            ai_augmentation_potential_score=_score(numbers, _POTENTIALS[1]),
            validated_ai_automation_score=None
            if numbers.get("validated_ai_automation_score") is None
            else _score(numbers, "validated_ai_automation_score"),
        ),
        tasks=tasks,
        summary=_summary(final, tasks, matches),
        provenance={
            "request_id": answer.get("request_id"),
            "execution_time": answer.get("execution_time"),
            "jd_matches": matches,
        },
    )


def _score(found: Mapping[str, Any], name: str) -> float:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise AssessmentFailed(f"the assessment service gave no {name}")
    if not 0 <= value <= 100:
        raise AssessmentFailed(
            f"the assessment service gave {name}={str(value)[:20]}, outside 0-100"
        )
    return float(value)


def _matches(fetched: object, jd: str) -> bool | None:
    """Whether the service assessed our JD; None where it does not say which it had."""
    if isinstance(fetched, str):
        return text_hash(fetched) == text_hash(jd)
    texts = [_object(fetched).get(name) for name in _JD_NAMES]
    text = next((text for text in texts if isinstance(text, str) and text.strip()), None)
    return None if text is None else text_hash(text) == text_hash(jd)


def _summary(
    final: Mapping[str, Any], tasks: tuple[AssessedTask, ...], matches: bool | None
) -> str:
    said = final.get("summary")
    text = said.strip() if isinstance(said, str) else ""
    if len(text) > SUMMARY_CHARACTERS:
        text = text[:SUMMARY_CHARACTERS].rsplit(" ", 1)[0] + " ..."
    if not text and tasks:
        by_ai = sum(task.score == AI for task in tasks)
        by_human = sum(task.score == HUMAN for task in tasks)
        both = len(tasks) - by_ai - by_human
        text = f"Of {len(tasks)} tasks AI does {by_ai}, AI with a human {both}, a human {by_human}."
    if matches is False:
        warning = "The service assessed another text than the job description linked here."
        text = f"{warning} {text}".strip()
    return text


def _storable(value: Any) -> Any:
    """The same without what no store takes: lone surrogates and NUL, which JSON can spell."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
