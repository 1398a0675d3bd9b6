"""`docs/graph.md` is true: its queries answer, its picture shows every label and relation."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.model.assessment import AssessedTask
from etter_dagster.model.documents import DocumentType
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import PushError
from etter_dagster.model.skills import RoleSkill
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.settings import Settings
from etter_dagster.stores import open_graph
from etter_dagster.stores.protocols import AuditEntry
from etter_dagster_tests.contract.records import assessment, document, new_push
from etter_dagster_tests.servers.neo4j import Neo4jServer

DOCS = (Path(__file__).parents[2] / "docs" / "graph.md").read_text()
QUERIES = re.findall(r"\n([^\n]+):\n\n```cypher\n(.*?)```", DOCS, re.DOTALL)
PICTURE = DOCS.split("```")[1]
RID = role_id("Acme", "Analyst")
WHERE = {"category": "Directive", "workload": "Reporting"}
VALUES = {"company": "Acme", "role_id": RID, "draup_role": "Data Analyst"}


async def fill(settings: Settings) -> None:
    """Two roles of one company and one of another, with one of everything."""
    graph = open_graph(settings)
    now = datetime.now(timezone.utc)
    for company, name in (("Acme", "Analyst"), ("Acme", "Clerk"), ("Other", "Analyst")):
        entry = TaxonomyEntry(job_id="j", company_name=company, job_title=name, occupation="Desk")
        await graph.put_taxonomy([entry])
        role = await graph.put_role(
            company, name, draup_role_name="Data Analyst", draup_role_id="d-1"
        )
        tasks = (
            AssessedTask(task="File invoices", exposure="E0", score=10, **WHERE),
            AssessedTask(task="Write reports", exposure="E1", score=100, **WHERE),
        )
        made = assessment(role.role_id, workflow_id=f"role-onboard-{name}", score=60)
        made = made.model_copy(update={"tasks": tasks, "assessment_id": f"as-{company}-{name}"})
        for text in ("JD before", "JD now"):
            jd = document(text, name="jd.md")
            sop = document("SOP", DocumentType.SOP, name="sop.md")
            await graph.link_documents(role.role_id, [jd, sop])
        await graph.add_assessment(made, current=True)
        await graph.put_skills(role.role_id, [RoleSkill(name="Excel", exposure=80)])
        await graph.settle_role(role.role_id, RoleStatus.READY, workflow_id="w", token=None)
    push = new_push("Analyst", "Acme", queued_at=now).push
    ended = {
        "status": WorkflowState.FAILED,
        "error": PushError(code="STEP_FAILED", message="no"),
        "completed_at": now,
    }
    await graph.append_history([push.model_copy(update=ended)])
    done = AuditEntry(at=now, actor="key-1", action="push", company_id="Acme", target=RID)
    await graph.append_audit([done])
    await graph.close()


FIRST_ANSWERS: dict[str, dict[str, Any]] = {
    "The roles of a company": {"role": "Analyst", "score": 60.0},
    "What a role does all day": {"task": "Write reports", "exposure": "E1", "score": 100.0},
    "How the assessment": {"score": 60.0, "assessor": "exposure/m/1"},
    "Which roles share": {"role": "Clerk", "shared": ["Excel"]},
    "Skills that a company": {"skill": "Excel", "roles": 2, "exposure": 80.0},
    "One Draup role": {"company": "Acme", "role": "Analyst", "score": 60.0},
    "How many roles": {"company": "Acme", "state": "ready", "roles": 2},
    "What a role's JD said": {"text": "JD before"},
    "Why pushes": {"error": "STEP_FAILED", "pushes": 1, "roles": ["Analyst"]},
    "Who did what": {"actor": "key-1", "action": "push", "target": RID},
}


async def test_every_query_of_the_page_answers_its_question(
    neo4j: Neo4jServer, settings: Settings
) -> None:
    await fill(neo4j.settings(settings))
    assert len(QUERIES) == len(FIRST_ANSWERS)
    for question, query in QUERIES:
        (expected,) = (
            answer for start, answer in FIRST_ANSWERS.items() if question.startswith(start)
        )
        first = neo4j.query(query, **VALUES)[0]
        assert expected.items() <= first.items(), question


async def test_the_picture_shows_every_label_relation_and_property_of_it(
    neo4j: Neo4jServer, settings: Settings
) -> None:
    await fill(neo4j.settings(settings))
    labels = {row["label"] for row in neo4j.query("MATCH (n) UNWIND labels(n) AS label RETURN *")}
    relations = {row["t"] for row in neo4j.query("MATCH ()-[r]->() RETURN type(r) AS t")}
    assert set(re.findall(r"\(:(\w+)", PICTURE)) == labels
    assert set(re.findall(r"\b([A-Z]+_[A-Z_]+|COVERS)\b", PICTURE)) == relations
    nodes = "MATCH (n:{0}) UNWIND keys(n) AS key RETURN DISTINCT key"
    links = "MATCH ()-[n:{0}]->() UNWIND keys(n) AS key RETURN DISTINCT key"
    for colon, name, listed in re.findall(r"(:?)\b(\w+) \{([^}]*)\}", PICTURE):
        wanted = {part.strip() for part in listed.split(",")} - {"..."}
        found = neo4j.query((nodes if colon else links).format(name))
        assert wanted <= {row["key"] for row in found}, name


@pytest.mark.parametrize("name", ["role_changes.py", "neo4j_commits.py"])
def test_the_files_it_names_exist(name: str) -> None:
    assert f"stores/{name}" in DOCS
    assert (Path(__file__).parents[2] / "etter_dagster" / "stores" / name).exists()
