"""A code location whose assessor takes `TEST_DELAY` seconds: a run can be caught in its middle.

Loaded by processes of their own only; it appends each role it starts to assess to `TEST_CALLS`.
"""

from __future__ import annotations

import os
from pathlib import Path

from etter_dagster.assessors.protocol import AssessmentFailed, AssessmentRequest
from etter_dagster.definitions import build_definitions
from etter_dagster.onboarding.services import Services
from etter_dagster.orchestration import serving_run
from etter_dagster.settings import Settings
from etter_dagster_tests.support import ScriptedAssessor, scripted_services

BAD = "Bad"  # the role that fails at once


def _note(request: AssessmentRequest) -> None:
    if request.role_name == BAD:
        raise AssessmentFailed("as the test asks for")
    with Path(os.environ["TEST_CALLS"]).open("a") as calls:
        calls.write(f"{request.role_name}\n")


def _slow_services(settings: Settings) -> Services:
    delay = float(os.environ["TEST_DELAY"])
    return scripted_services(settings, ScriptedAssessor(delay=delay, on_call=_note))


serving_run.open_services = _slow_services  # type: ignore[attr-defined, assignment]
defs = build_definitions()
