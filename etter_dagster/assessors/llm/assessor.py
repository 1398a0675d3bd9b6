"""`LlmAssessor`: the calls of an assessment, and what becomes of their labels."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from etter_dagster.assessors.exposure.reading import READING_VERSION, ReadTask, read_tasks
from etter_dagster.assessors.llm.endpoint import ChatEndpoint, content_of
from etter_dagster.assessors.llm.labels import Label, Labelled, understand
from etter_dagster.assessors.llm.planning import Asked, asked, plan
from etter_dagster.assessors.llm.rubric import RUBRIC_VERSION, SCHEMA, messages
from etter_dagster.assessors.llm.scoring import outputs
from etter_dagster.assessors.protocol import (
    AssessmentFailed,
    AssessmentRequest,
    PaidCall,
    PaidCalls,
)
from etter_dagster.model.assessment import AssessmentOutputs, AssessorInfo
from etter_dagster.model.ledger import Attempt, RawAnswer

MOST_UNLABELLED = 0.1  # of a role's tasks (or one), above which the assessment fails
MOST_ALONE = 30  # tasks that speak to a model, above which the document is refused
log = logging.getLogger(__name__)
_COMPLAINT = (
    "Your answer before was not of the required form or lacked tasks. Label all {count} tasks: "
    "JSON only, one entry for each n from 1 to {count}."
)


class LlmAssessor:
    """A paid assessor: the model labels numbered tasks, everything else is done here.

    Args:
        endpoint: Where the model is.
    """

    def __init__(self, endpoint: ChatEndpoint) -> None:
        self._endpoint = endpoint

    @property
    def info(self) -> AssessorInfo:
        """`llm`, the model's name, and the versions of rubric and reading rules."""
        version = f"{RUBRIC_VERSION}-{READING_VERSION}"
        return AssessorInfo(name="llm", model=self._endpoint.model, version=version)

    async def assess(self, request: AssessmentRequest, calls: PaidCalls) -> AssessmentOutputs:
        """Reads the tasks, has them labelled, and adds the labels up.

        Raises:
            AssessmentFailed: No tasks, or the model labels too few of them.
            TransientError: Trying again may help; what was paid for is found again.
        """
        tasks = await asyncio.to_thread(read_tasks, request.text)
        if not tasks:
            raise AssessmentFailed(
                "no tasks found in the text: it must say what the role does, as a list or in "
                'sentences, for example under a heading "Responsibilities"'
            )
        asking = _Asking(self._endpoint, calls, [task.text for task in tasks])
        labels = await asking.all()
        _refuse_if_few(tasks, labels)
        note = f"Labelled by {self._endpoint.model}: {asking.said()}."
        return outputs(tasks, labels, title=request.role_name, note=note)

    async def ping(self) -> None:
        """Raises `TransientError` unless the endpoint answers; costs nothing."""
        await self._endpoint.ping()

    async def close(self) -> None:
        """Closes the connections."""
        await self._endpoint.close()


@dataclass
class _Asking:
    """The calls of one assessment."""

    endpoint: ChatEndpoint
    calls: PaidCalls
    tasks: Sequence[str]
    weight: int = 1
    """Of all planned calls together."""
    made: int = 0
    tokens: int = 0
    labels: dict[int, Label] = field(default_factory=dict)

    async def all(self) -> dict[int, Label]:
        planned = plan(self.tasks)
        alone = sum(len(call.places) == 1 for call in planned)
        if alone > MOST_ALONE:
            raise AssessmentFailed(
                f"{alone} tasks of the document read like instructions to a language model; "
                "remove them and push the role again"
            )
        self.weight = sum(map(_weight, planned))
        for call in planned:
            await self._labelled(call)
        return self.labels

    async def _labelled(self, call: Asked) -> None:
        """Labels a call's tasks: one repair if labels lack, each task alone if they are no use."""
        answer = await self._ask(call)
        if not answer.talked_into and answer.missing:
            self.labels.update(answer.labels)
            again = asked(f"{call.part}-repair", answer.missing, self.tasks)
            answer = await self._ask(again, complaint=True)
            call = again
        if not answer.talked_into:
            self.labels.update(answer.labels)
        if answer.talked_into or (len(call.places) > 1 and not answer.labels):
            log.warning("%s: labels that cannot be; each of its tasks is asked alone", call.part)
            for place in call.places:
                await self._labelled(asked(f"task-{place + 1}", [place], self.tasks))

    async def _ask(self, call: Asked, *, complaint: bool = False) -> Labelled:
        said = _COMPLAINT.format(count=len(call.texts)) if complaint else ""
        chat = messages(call.texts, complaint=said)

        async def send(attempt: Attempt) -> RawAnswer:
            return await self.endpoint.chat(
                chat, schema=SCHEMA, key=f"{attempt.call.key}-{call.part}"
            )

        def read(answer: RawAnswer, attempt: Attempt) -> Labelled:
            return understand(content_of(answer), call)

        paid = await self.calls.make(
            # All planned calls make the cost of one assessment, further ones come on top.
            PaidCall(call.part, send=send, read=read, share=_weight(call) / self.weight)
        )
        self.made += 1
        self.tokens += paid.answer.usage.get("total_tokens", 0)
        return paid.value

    def said(self) -> str:
        """For people: how many calls and tokens it took."""
        calls = f"{self.made} call{'s' if self.made > 1 else ''}"
        return f"{calls}, {self.tokens} tokens" if self.tokens else calls


def _weight(call: Asked) -> int:
    """About what a call costs, in tasks: the rubric is as long as some of them."""
    return 4 + len(call.texts)


def _refuse_if_few(tasks: Sequence[ReadTask], labels: dict[int, Label]) -> None:
    lacking = len(tasks) - len(labels)
    if not labels or lacking > max(1, math.floor(MOST_UNLABELLED * len(tasks))):
        raise AssessmentFailed(
            f"the model gave no usable label for {lacking} of {len(tasks)} tasks, also when asked "
            "again; check that ETTER_LLM_MODEL can answer in JSON"
        )
