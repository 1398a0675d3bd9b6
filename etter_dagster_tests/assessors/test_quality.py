"""A document that is no JD is told apart before anything is spent, and no JD is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etter_dagster.assessors.quality.judging import ENOUGH_SIGNS, judge
from etter_dagster.assessors.quality.signs import SIGNS
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.status import status_of
from etter_dagster.settings import Settings
from etter_dagster_tests.assessors.layouts import LAYOUTS
from etter_dagster_tests.support import JD, ScriptedAssessor, order, scripted_services, work_off
from training.quality.report import SPLITS, documents, table

DOCS = Path(__file__).parents[2] / "docs" / "assessors.md"
OTHERS = list(documents("other.txt"))
JDS = list(documents("jds.txt"))
INVOICE = next(d.text for d in OTHERS if d.name == "invoice")


def test_no_jd_of_any_style_is_refused() -> None:
    """A wrong refusal costs a user more than a wrong assessment costs money."""
    assert [(d.name, judge(d.text)) for d in JDS if not judge(d.text).is_jd] == []
    assert [name for name, d in LAYOUTS.items() if not judge(d.text).is_jd] == []


@pytest.mark.parametrize(
    ("said", "least"),
    [("seen while making the rules", 0.9), ("held out", 0.9), ("written last", 0.6)],
)
def test_other_documents_are_refused(said: str, least: float) -> None:
    """Usual ones nearly always; of the odd ones that were written last, more than half."""
    chosen = [d for d in OTHERS if d.split in SPLITS[said]]
    missed = [d.name for d in chosen if judge(d.text).is_jd]
    assert len(chosen) >= 20
    assert len(chosen) - len(missed) >= least * len(chosen), missed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("agenda", "agenda"),
        ("invoice", "an invoice"),
        ("menu", "a menu"),
        ("contract", "a contract"),
        ("cv", "CV"),
        ("empty scan", "without text"),
        ("csv", "table of data"),
    ],
)
def test_the_reason_says_what_it_looks_like_and_what_helps(name: str, said: str) -> None:
    reason = judge(next(d.text for d in OTHERS if d.name == name)).reason
    assert said in reason
    assert "give the role's job description" in reason
    assert "`other`" in reason


@pytest.mark.parametrize("text", ["x", "JD", "Clerk", "do the work", "仕事", "職務"])
def test_a_short_document_is_never_refused_for_what_it_lacks(text: str) -> None:
    assert judge(text).is_jd


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over the lazy dog. " * 200,
        "word " * 5000,
        "x" * 100_000,
        "".join(f"- Task {n}\n" for n in range(300)),
        "".join(f"Duty number {n} of the role {n}\n" for n in range(300)),
        "Some text that stands for a job description. " * 50,
    ],
)
def test_placeholders_pass(text: str) -> None:
    """People try a service out with them; that they are no JD shows in their assessment."""
    assert judge(text).is_jd


@pytest.mark.parametrize("text", ["", " \n", ". . . ~ |", "Page 1 of 2\n\nPage 2 of 2"])
def test_nothing_to_read_is_refused(text: str) -> None:
    assert not judge(text).is_jd


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert judge(text).is_jd == (judge(text).reason == "")


@pytest.mark.parametrize(
    "text", ["a", "(", "1,", "a b. ", "from: ", "- ", '"a', "x\n", "word ", "\n"]
)
def test_a_document_of_the_greatest_size_is_judged_at_once(text: str) -> None:
    started = time.process_time()
    judge(text * (2_000_000 // len(text)))
    assert time.process_time() - started < 5


def test_a_plain_jd_needs_no_look_at_what_else_it_could_be() -> None:
    """Most documents are JDs: they must cost next to nothing."""
    text = JD.lower()
    assert sum(sign.found(text, text) for sign in SIGNS) >= ENOUGH_SIGNS


def test_no_occupation_and_no_page_is_refused_and_the_docs_have_the_measured_figures() -> None:
    """One measurement for both: it judges a thousand documents."""
    measured = table()
    assert measured in DOCS.read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in measured.splitlines()]
    refused = {name: (int(n) > 0, no) for name, n, no, _ in rows if name.startswith("occupation")}
    assert refused == {
        "occupations, lists of tasks": (True, "0"),
        "occupation pages": (True, "0"),
    }


async def pushed(
    tmp: Settings, *given: DocumentRef
) -> tuple[WorkflowState, str | None, ScriptedAssessor]:
    assessor = ScriptedAssessor()
    services = scripted_services(tmp, assessor)
    accepted = await accept(services, order(documents=given))
    await work_off(services)
    status = await status_of(services, accepted.workflow_id)
    await services.close()
    return status.status, status.error.message if status.error else None, assessor


def document(text: str, kind: DocumentType = DocumentType.JOB_DESCRIPTION) -> DocumentRef:
    return DocumentRef(type=kind, content=text)


async def test_an_assessor_never_sees_an_invoice(settings: Settings) -> None:
    """The push fails for good, with the reason, before any call that could cost money."""
    state, message, assessor = await pushed(settings, document(INVOICE))
    assert state is WorkflowState.FAILED
    assert "looks like an invoice" in (message or "")
    assert assessor.calls.total() == 0


async def test_an_invoice_linked_as_another_type_is_taken_for_what_its_sender_says(
    settings: Settings,
) -> None:
    """The way past a wrong refusal, named in the error."""
    state, _, assessor = await pushed(settings, document(INVOICE, DocumentType.OTHER))
    assert state is WorkflowState.READY
    assert assessor.calls.total() == 1


async def test_a_jd_beside_an_invoice_is_assessed(settings: Settings) -> None:
    state, _, _ = await pushed(settings, document(INVOICE), document(JD))
    assert state is WorkflowState.READY
