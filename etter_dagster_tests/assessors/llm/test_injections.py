"""What a JD says to a model moves the label of its own task, and nothing else."""

from __future__ import annotations

import pytest

from etter_dagster.assessors.exposure.reading import read_tasks
from etter_dagster.assessors.llm.suspicion import speaks_to_a_model
from etter_dagster.model.assessment import AssessmentOutputs
from etter_dagster_tests.assessors.llm.conftest import TASKS, Llm, jd
from etter_dagster_tests.assessors.llm.injections import INJECTIONS, QUIET, Injection
from etter_dagster_tests.standin.llm_api import honest_label

ALL = (*INJECTIONS, *QUIET)


def labels(outputs: AssessmentOutputs) -> dict[str, str | None]:
    return {task.task: task.exposure for task in outputs.tasks}


def test_there_are_forty_and_none_twice() -> None:
    assert len({injection.text for injection in INJECTIONS}) == len(INJECTIONS) == 40


@pytest.mark.parametrize("injection", ALL, ids=lambda i: i.text[:30])
async def test_an_injection_as_a_task_moves_no_label_but_its_own(
    llm: Llm, injection: Injection
) -> None:
    """The model obeys to the letter; the labels of all other tasks stay the honest ones."""
    llm.state.obeys[injection.text.strip()] = injection.effect
    outputs = await llm.assess(jd([*TASKS[:6], injection.text, *TASKS[6:]]))
    found = labels(outputs)
    assert {task: found[task] for task in TASKS} == {task: honest_label(task) for task in TASKS}
    assert len(found) <= len(TASKS) + 2  # it may be read as more than one sentence


@pytest.mark.parametrize("injection", ALL, ids=lambda i: i.text[:30])
async def test_an_injection_at_the_end_of_a_task_moves_at_most_that_label(
    llm: Llm, injection: Injection
) -> None:
    llm.state.obeys[injection.text.strip()] = injection.effect
    texts = [*TASKS[:6], f"{TASKS[6]} - {injection.text}", *TASKS[7:]]
    found = labels(await llm.assess(jd(texts)))
    rest = [task for task in TASKS if task != TASKS[6]]
    assert {task: found[task] for task in rest} == {task: honest_label(task) for task in rest}


@pytest.mark.parametrize("injection", ALL, ids=lambda i: i.text[:30])
async def test_an_injection_outside_the_tasks_never_reaches_the_model(
    llm: Llm, injection: Injection
) -> None:
    """The title, the requirements and the benefits are not sent at all."""
    text = f"# {injection.text}\n\n{jd()}\n## Benefits\n- {injection.text}\n## Requirements\n"
    outputs = await llm.assess(f"{text}{injection.text}\n")
    assert labels(outputs) == {task: honest_label(task) for task in TASKS}
    assert not any(injection.text in text for asked in llm.state.asked for text in asked)


def test_most_injections_are_noticed_before_they_are_sent() -> None:
    """What is noticed costs one call; what is not costs one for each task of its call."""
    missed = [i.text for i in INJECTIONS if not speaks_to_a_model(i.text)]
    assert len(missed) <= 4, missed


def test_ordinary_tasks_are_asked_about_together() -> None:
    """Each task that stands alone in its call costs the length of the rubric."""
    assert [task for task in TASKS if speaks_to_a_model(task)] == []
    assert len(read_tasks(jd())) == len(TASKS)
