"""Which call is which: the Idempotency-Key, and the subject, of which one may be outstanding."""

from __future__ import annotations

import hashlib

from etter_dagster.assessors.protocol import AssessmentRequest
from etter_dagster.model.assessment import AssessorInfo


def idempotency_key(request: AssessmentRequest, assessor: AssessorInfo, *, renew: bool) -> str:
    """The same for every attempt and user retry of one assessment.

    Args:
        request: The role and its inputs.
        assessor: Who assesses.
        renew: Whether an answer that is there already does not count.
    """
    parts = [request.role_id, request.inputs.inputs_hash, assessor.key]
    if renew:
        parts.append(request.origin or request.workflow_id)
    return _hash(parts)


def subject(request: AssessmentRequest, assessor: AssessorInfo) -> str:
    """Stands for (inputs, assessor).

    Args:
        request: The role and its inputs.
        assessor: Who assesses.
    """
    return _hash([request.inputs.inputs_hash, assessor.key])


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
