"""Alert rules and the board: each metric that they name is one that `/metrics` gives."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from etter_dagster.api.metrics_paid import PaidState
from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.ledger import Spending
from etter_dagster.model.spending import Room
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import rest_of

DEPLOY = Path(__file__).parents[1] / "deploy"
RULES: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())[
    "groups"
][0]["rules"]
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/etter.json").read_text())
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in BOARD["panels"]
        for target in panel["targets"]
    },
}
_LABEL = re.compile(r'(etter_\w+)(?:\{(\w+)="([^"]*)"\})?')


@pytest.fixture
async def scraped(settings: Settings) -> str:
    """Everything that there can be: ready, failed, waiting pushes; a request; paid calls."""
    async with rest_of(settings.with_changes(dagster_port=9)) as rest:
        await rest.ready("A")
        rest.assessor.script = [AssessmentFailed("no")]
        await rest.push("B")
        await rest.work()
        await rest.push("C")
        text = (await rest.http.get("http://test/metrics")).text
    paid = CollectorRegistry()
    paid.register(PaidState(Spending(), Room(), left=5.0))  # as where a budget is set
    return text + generate_latest(paid).decode()


async def test_each_metric_and_label_of_rules_and_board_exists(scraped: str) -> None:
    """A rule over a metric that nobody gives never fires, and nobody notices."""
    assert len(EXPRESSIONS) > 20
    for name, expression in EXPRESSIONS.items():
        metrics = _LABEL.findall(expression)
        assert metrics or "up{" in expression, name
        for metric, label, value in metrics:
            samples = [line for line in scraped.splitlines() if line.startswith(f"{metric}")]
            assert samples, (name, metric)
            if label == "status":
                continue  # no request of the test failed so
            if label:
                assert any(f'{label}="{value}"' in line for line in samples), (name, label, value)


async def test_labels_that_a_board_or_rule_sums_by_exist(scraped: str) -> None:
    """A legend of a label that is not there is empty."""
    for name, expression in EXPRESSIONS.items():
        for labels in re.findall(r"by \(([^)]*)\)", expression):
            for label in labels.replace(" ", "").split(","):
                assert f'{label}="' in scraped, (name, label)


def test_every_rule_says_what_to_do() -> None:
    """Whoever is woken by it was not there when it was written."""
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))
    for rule in RULES:
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["remedy"]
        assert rule["labels"]["severity"] in ("page", "warn")


def test_the_board_can_be_loaded() -> None:
    """Ids are unique, panels do not lie on each other, the source is chosen by whoever looks."""
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)


def test_what_is_paid_for_has_rules_and_panels() -> None:
    """Money that runs out, or a service that is not asked, is nothing to find out by chance."""
    for metric in ("etter_budget_left", "etter_assessor_closed", "etter_paid_calls"):
        assert any(metric in rule["expr"] for rule in RULES), metric
        assert any(metric in target["expr"] for p in BOARD["panels"] for target in p["targets"])
