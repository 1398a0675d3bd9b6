"""One document formatted by the LLM, outside any push: for the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import httpx

from etter_dagster.assessors.guard.guarded import GuardedAssessor
from etter_dagster.assessors.llm.assessor import LlmAssessor
from etter_dagster.assessors.llm.endpoint import ChatEndpoint
from etter_dagster.assessors.llm.formatting import format_by_llm
from etter_dagster.assessors.protocol import AssessmentRequest, PaidCalls
from etter_dagster.model.assessment import AssessmentInputs
from etter_dagster.model.documents import text_hash
from etter_dagster.settings import Settings

if TYPE_CHECKING:
    from etter_dagster.stores.ledger import Ledger

NOBODY = "format"  # in the ledger, where a role's id stands


async def format_one(
    text: str,
    settings: Settings,
    ledger: Ledger,
    clock: Callable[[], datetime],
    *,
    title: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> tuple[str, float | None]:
    """A text under the headings of a JD, and what that cost, if known.

    It passes the guard like every paid call; the same text is not paid for twice.

    Args:
        text: The document.
        settings: Where the model is, limits and budgets.
        ledger: Where paid calls are recorded.
        clock: The present, in UTC.
        title: As for `format_jd`.
        transport: Instead of the network.

    Raises:
        ValueError: No LLM is configured.
        AssessmentFailed, TransientError, Postponed: As the calls say.
    """
    endpoint = ChatEndpoint(settings, transport=transport)
    guard = GuardedAssessor(LlmAssessor(endpoint), ledger, settings, clock)
    digest = text_hash(text)
    request = AssessmentRequest(
        company_id="",
        role_id=NOBODY,
        role_name=title or "",
        draup_role_name="",
        documents=(),
        inputs=AssessmentInputs(role_id=NOBODY, jd_hash=digest, documents_hash="", draup_role=""),
        workflow_id=f"{NOBODY}-{digest[:12]}",
    )

    async def work(calls: PaidCalls) -> str:
        return await format_by_llm(text, endpoint, calls, title=title)

    try:
        return await guard.run(request, work)
    finally:
        await guard.close()
