"""Whatever a model says, it is understood as far as it goes, and never more."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.assessors.llm.labels import understand
from etter_dagster.assessors.llm.planning import asked
from etter_dagster.assessors.llm.rubric import LABELS, MAX_REASON_CHARACTERS

TASKS = [f"Prepare report {n}" for n in range(6)]
ASKED = asked("tasks-1", range(6), TASKS)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=20,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(-2, 12) | st.sampled_from(["1", "3", 2.0, True, None, "²", "9" * 5000]),
        "label": st.sampled_from([*LABELS, "e1", "E9", "", None, "E2 (tools)"]) | JSON,
        "reason": st.text(max_size=400) | JSON,
    },
)


def check(content: str) -> None:
    found = understand(content, ASKED)
    assert set(found.labels) | set(found.missing) == set(range(6))
    assert set(found.labels).isdisjoint(found.missing)
    for label in found.labels.values():
        assert label.label in LABELS
        assert len(label.reason) <= MAX_REASON_CHARACTERS
        assert "\n" not in label.reason


@given(st.text())
def test_any_text_is_taken(content: str) -> None:
    check(content)


@given(JSON)
def test_any_json_is_taken(value: Any) -> None:
    check(json.dumps(value))
    check(json.dumps({"labels": value}))


@given(st.lists(ENTRIES, max_size=12))
def test_any_labels_are_taken(entries: list[dict[str, Any]]) -> None:
    check(json.dumps({"labels": entries}))


def test_a_known_task_with_another_label_is_noticed() -> None:
    """Every label honest but that of one task whose label is known."""
    place = next(n for n, known in enumerate(ASKED.known, start=1) if known == "E0")
    good = [{"n": n, "label": known or "E2"} for n, known in enumerate(ASKED.known, start=1)]
    assert not understand(json.dumps({"labels": good}), ASKED).talked_into
    bad = [entry | ({"label": "E1"} if entry["n"] == place else {}) for entry in good]
    assert understand(json.dumps({"labels": bad}), ASKED).talked_into
