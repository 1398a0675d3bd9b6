"""The assessment service as a paid assessor: when it must look anew, and what it is told first.

The service answers from a cache of its own by company and role, whatever the JD: `delete_existing`
makes it assess anew. A call whose answer was lost may stand in that cache, paid for; so its
repetition leaves the flag out, and takes it again only if the cache has something older.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from etter_dagster.assessors.protocol import (
    AssessmentRequest,
    PaidCall,
    PaidCalls,
    StaleAnswer,
)
from etter_dagster.assessors.workflow_api.client import ServiceClient
from etter_dagster.assessors.workflow_api.reading import read_assessment, read_id, read_object
from etter_dagster.model.assessment import AssessmentOutputs, AssessorInfo
from etter_dagster.model.documents import text_hash
from etter_dagster.model.ledger import Attempt, Outcome, Past, RawAnswer

VERSION = "1"  # of how answers are read; another makes older assessments stale
PART = "assessment"
# The call was sent, and what became of it is not known: its answer may be in the cache.
_MAYBE_DONE = (Outcome.LOST, Outcome.OPEN, Outcome.UNREADABLE)
log = logging.getLogger(__name__)


class WorkflowApiAssessor:
    """`PaidAssessor` over the assessment service.

    Args:
        client: Its endpoints.
        store_in_neo4j: Whether the service is to store its result too.
    """

    def __init__(self, client: ServiceClient, *, store_in_neo4j: bool) -> None:
        self._client = client
        self._store_in_neo4j = store_in_neo4j

    @property
    def info(self) -> AssessorInfo:
        """`workflow_api`; the service tells no version of its own."""
        return AssessorInfo(name="workflow_api", model="automated_workflows", version=VERSION)

    async def assess(self, request: AssessmentRequest, calls: PaidCalls) -> AssessmentOutputs:
        """Assesses a role by one paid call."""
        asking = _Asking(self._client, request, self._store_in_neo4j)
        result = await calls.make(
            PaidCall(
                PART,
                prepare=asking.prepare,
                send=asking.send,
                read=asking.read,
                reference=lambda outputs: _text(outputs.provenance.get("request_id")),
            )
        )
        outputs, notes = result.value, result.attempt.notes
        if outputs.provenance["jd_matches"] is False:
            log.warning("%s: the service assessed another text than ours", request.role_id)
        kept = {name: notes.get(name) for name in ("company_role_id", "jd_id")}
        return outputs.model_copy(update={"provenance": {**kept, **outputs.provenance}})

    async def ping(self) -> None:
        """Asks the service's health."""
        await self._client.ping()

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()


@dataclass(frozen=True)
class _Asking:
    """One role's assessment as the parts of a `PaidCall`."""

    client: ServiceClient
    request: AssessmentRequest
    store_in_neo4j: bool

    async def prepare(self, past: Past) -> dict[str, Any]:
        """Gives the service the role and its JD, and decides whether it must assess anew."""
        request = self.request
        role = await self.client.free(
            "create-company-role",
            {
                "company_name": request.company_id,
                "role_name": request.role_name,
                "draup_role": request.draup_role_name,
            },
        )
        company_role_id = read_id(role, "company_role_id", "create-company-role")
        link = await self.client.free(
            "link-job-description",
            {
                "company_role_id": company_role_id,
                "jd_content": request.text,
                "format_with_llm": False,
                "source": "etter",
            },
        )
        return {
            "company_role_id": company_role_id,
            "jd_id": read_object(link, "link-job-description").get("jd_id"),
            **delete_existing(past, request),
        }

    async def send(self, attempt: Attempt) -> RawAnswer:
        """Sends the paid call."""
        request = self.request
        body = {
            "company_name": request.company_id,
            "role_name": request.role_name,
            "company_role_id": attempt.notes["company_role_id"],
            "delete_existing": attempt.notes["delete_existing"],
            "store_in_neo4j": self.store_in_neo4j,
        }
        return RawAnswer(body=await self.client.assess(body, attempt.call.key))

    def read(self, answer: RawAnswer, attempt: Attempt) -> AssessmentOutputs:
        """Reads the answer; one out of the cache that is older than what was wanted is stale."""
        outputs = read_assessment(answer.body, self.request.text)
        notes, found = attempt.notes, outputs.provenance
        if notes["wanted_anew"] and not notes["delete_existing"]:
            if _text(found["request_id"]) in notes["known"]:
                raise StaleAnswer("the service gave an assessment that is known already")
            if found["jd_matches"] is False:
                raise StaleAnswer("the service gave an assessment of another text")
        return outputs


def delete_existing(past: Past, request: AssessmentRequest) -> dict[str, Any]:
    """Notes that say whether the service must assess anew; `known` are ids that would be older.

    Args:
        past: What the ledger knows of the call and the role.
        request: What is to be assessed.
    """
    other_text = past.text_hash is not None and past.text_hash != text_hash(request.text)
    wanted = request.renew or past.renewed or other_text
    flag = wanted
    if past.last is not None:
        wanted = bool(past.last.notes.get("wanted_anew")) or wanted
        if past.last.outcome in _MAYBE_DONE:
            flag = False
        elif past.last.outcome is Outcome.STALE:
            flag = True
        else:
            flag = bool(past.last.notes.get("delete_existing")) or other_text
    known = list(past.references) if wanted and not flag else []
    return {"delete_existing": flag, "wanted_anew": wanted, "known": known}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
