"""Is an assessment still true of its role? A typed comparison, field by field, with every
reason.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.assessment import Assessment, AssessmentInputs, AssessorInfo

_SHOWN = 12  # characters of a hash
REMEDY = "push the role again, or wait for the nightly re-assessment"


class StaleReason(BaseModel):
    """One difference between what an assessment was made from and what holds now."""

    model_config = ConfigDict(frozen=True)

    field: str
    stored: str | None
    required: str | None
    remedy: str = REMEDY


class Basis(BaseModel):
    """What an assessment stands on; the stored one is compared with the required one."""

    model_config = ConfigDict(frozen=True)

    inputs: AssessmentInputs
    assessor: AssessorInfo
    made_at: datetime


def basis_of(assessment: Assessment) -> Basis:
    """What a stored assessment stands on."""
    return Basis(
        inputs=assessment.inputs,
        assessor=assessment.assessor,
        made_at=assessment.created_at,
    )


def oldest_that_holds(now: datetime, max_age_days: float) -> datetime:
    """An assessment from before is stale by its age.

    Args:
        now: The present.
        max_age_days: Greatest age in days, fractions allowed.
    """
    return now - timedelta(days=max_age_days)


def stale_reasons(
    stored: Basis,
    *,
    inputs: AssessmentInputs,
    assessor: AssessorInfo,
    now: datetime,
    max_age_days: float,
) -> tuple[StaleReason, ...]:
    """Every reason why the stored basis no longer holds; empty when it does.

    Args:
        stored: What the assessment was made from.
        inputs: The role's inputs as linked now.
        assessor: The assessor that is configured now.
        now: The present.
        max_age_days: Greatest age in days, fractions allowed.
    """
    pairs = [
        ("jd_hash", stored.inputs.jd_hash, inputs.jd_hash),
        ("documents_hash", stored.inputs.documents_hash, inputs.documents_hash),
        ("draup_role", stored.inputs.draup_role, inputs.draup_role),
        ("assessor", stored.assessor.name, assessor.name),
        ("assessor_model", stored.assessor.model, assessor.model),
        ("assessor_version", stored.assessor.version, assessor.version),
    ]
    other_assessor = pairs[3][1] != pairs[3][2]
    reasons = [
        StaleReason(field=field, stored=have, required=want)
        for field, have, want in pairs
        # Another assessor's model and version always differ: one reason says it.
        if have != want and not (other_assessor and field.startswith("assessor_"))
    ]
    oldest = oldest_that_holds(now, max_age_days)
    if stored.made_at < oldest:
        reasons.append(
            StaleReason(
                field="age",
                stored=rfc3339(stored.made_at),
                required=f"after {rfc3339(oldest)}",
            )
        )
    return tuple(reasons)


def rfc3339(moment: datetime) -> str:
    """A time as the surfaces show it: in UTC, with `Z`.

    Args:
        moment: With a time zone.
    """
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def said_reason(reason: StaleReason) -> str:
    """A reason with both values, in a few words.

    Args:
        reason: Of a stale role.
    """
    have, want = (_short(reason.field, value) for value in (reason.stored, reason.required))
    return f"{reason.field}: {have}, now {want}"


def _short(field: str, value: str | None) -> str:
    if not value:
        return "none"
    return value[:_SHOWN] if field.endswith("_hash") else value
