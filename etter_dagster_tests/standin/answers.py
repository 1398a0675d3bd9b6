"""What the real assessment service answers, in its shape and size: made from the JD alone.

Pure; the same JD gives the same scores.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

WORKLOAD_COLUMNS = (
    "Directive",
    "Feedback Loop",
    "Task Iteration",
    "Learning",
    "Validation",
    "Negligibility",
)
_BULLET = re.compile(r"^\s*[-*]\s+(.+)$", re.MULTILINE)
_RESULT_BYTES = 23_500  # what the real results have, stored compactly: 22-25 kB


def assessment_answer(
    *, request_id: str, company: str, role: str, jd: str, seconds: float
) -> dict[str, Any]:
    """The body of a finished assessment.

    Args:
        request_id: The service's id of the request.
        company: The company's name.
        role: The role's name.
        jd: The job description that the service holds.
        seconds: How long it took.
    """
    automation, augmentation = scores(jd)
    quantification = {
        "ai_automation_score": round(automation + augmentation, 1),
        "ai_automation_potential_score": automation,
        "ai_augmentation_potential_score": augmentation,
        "validated_ai_automation_score": round(automation + augmentation - 1, 1),
        "validated_ai_automation_potential_score": round(automation - 1, 1),
        "validated_ai_augmentation_potential_score": augmentation,
    }
    answer: dict[str, Any] = {
        "status": "success",
        "request_id": request_id,
        "execution_time": round(seconds, 2),
        "steps_executed": list(_STEPS),
        "ai_automation_score": quantification["ai_automation_score"],
        "assessment_data": {
            "final_output": {
                "company_name": company,
                "role_name": role,
                **quantification,
            },
            "step_results": {
                "fetch_job_description": {"status": "success", "jd_content": jd},
                "ai_impact_assessment": {"status": "success", "table": impact_table(jd)},
                "ai_impact_quantification": {"status": "success", **quantification},
            },
        },
    }
    length = max(200, _RESULT_BYTES - len(json.dumps(answer, separators=(",", ":"))))
    answer["assessment_data"]["final_output"]["summary"] = _prose(jd, length)
    return answer


_STEPS = ("fetch_job_description", "ai_impact_assessment", "ai_impact_quantification")


def scores(jd: str) -> tuple[float, float]:
    """Automation and augmentation potential; their sum lies in the 47.0-66.5 of the samples."""
    digest = hashlib.sha256(jd.encode("utf-8", "surrogatepass")).digest()
    total = round(47.0 + 19.5 * int.from_bytes(digest[:4], "big") / 0xFFFFFFFF, 1)
    automation = round(total * (0.3 + 0.4 * digest[4] / 255), 1)
    return automation, round(total - automation, 1)


def impact_table(jd: str) -> list[dict[str, str]]:
    """One row per workload; each bullet of the JD stands in one cell, several with `;`."""
    tasks = [task.strip().replace(";", ",") for task in _BULLET.findall(jd)] or ["Do the work"]
    size = 6
    rows = []
    for number, begin in enumerate(range(0, len(tasks), size), start=1):
        cells: dict[str, list[str]] = {column: [] for column in WORKLOAD_COLUMNS}
        for task in tasks[begin : begin + size]:
            digest = hashlib.sha256(task.encode("utf-8", "surrogatepass")).digest()
            cells[WORKLOAD_COLUMNS[digest[0] % len(WORKLOAD_COLUMNS)]].append(task)
        rows.append(
            {"Workload": f"Workload {number}"}
            | {column: "; ".join(found) for column, found in cells.items()}
        )
    return rows


def _prose(jd: str, length: int) -> str:
    words = " ".join(re.findall(r"[A-Za-z]+", jd) or ["work"]) + " "
    return (words * (length // len(words) + 1))[:length]
