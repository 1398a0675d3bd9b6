"""What a page says where the data has a code."""

from __future__ import annotations

from etter_dagster.model.staleness import StaleReason

_REASONS = {
    "jd_hash": "the job description changed",
    "documents_hash": "the documents changed",
    "draup_role": "the Draup role changed",
    "assessor": "another assessor is set up",
    "assessor_model": "the assessor has another model",
    "assessor_version": "the assessor has another version",
    "age": "the assessment is too old",
}


def why(reason: StaleReason) -> str:
    """A reason for being stale, in a few words.

    Args:
        reason: Of a role.
    """
    return _REASONS.get(reason.field, f"{reason.field.replace('_', ' ')} changed")


def values(reason: StaleReason) -> str:
    """What the assessment was made from and what holds now; empty where only hashes tell.

    Args:
        reason: Of a role.
    """
    if reason.field.endswith("_hash") or reason.field == "age":
        return ""
    return f"{reason.stored or 'nothing'}, now {reason.required or 'nothing'}"
