"""`etter compare`, `etter show --jd`, `etter format`."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.cli.compare import _change
from etter_dagster.model.identity import role_id
from etter_dagster_tests.cli.conftest import Etter, Served

ANALYST = role_id("Acme", "Analyst")
PUSH = ("push", "Acme", "Analyst", "--draup-role", "Data Analyst", "--document")


def test_two_assessments_are_compared_at_the_terminal(
    etter: Etter, service: Served, jd: Path
) -> None:
    assert etter(*PUSH, jd).code == 0
    service.work()
    assert etter("compare", ANALYST).code == 2
    service.assessor.score = 55.0
    jd.write_text(jd.read_text() + "- Typing\n")
    assert etter(*PUSH, jd).code == 0
    service.work()
    ran = etter("compare", ANALYST)
    assert ran.code == 0
    assert "why: the job description changed\n" in ran.stdout
    assert "final_score\t40.0\t55.0\t15.0\n" in ran.stdout
    assert "scored otherwise\tPrepare reports\t40.0\t55.0\n" in ran.stdout
    assert etter("compare", "Acme", "Analyst").stdout == ran.stdout
    assert ran.stdout.count("Z\n") == 2
    found = etter("compare", ANALYST, "--json").json
    ids = [found[side]["assessment_id"] for side in ("after", "before")]
    assert etter("compare", ANALYST, *ids, "--json").json["scores"][0]["change"] == -15.0
    assert etter("compare", "Acme", "Analyst", *ids, "--json").json["scores"][0]["change"] == -15.0
    assert etter("compare", ANALYST, *ids, "more").code == 2


@pytest.mark.parametrize("command", ["show", "compare"])
def test_a_company_alone_is_2_and_says_that_the_role_is_missing(etter: Etter, command: str) -> None:
    ran = etter(command, "Acme")
    assert ran.code == 2
    assert "ROLE: is missing" in ran.stderr


def test_a_change_is_that_of_the_shown_scores() -> None:
    assert round(_change(40.04, 39.46) or 0, 1) == -0.5
    assert round(_change(40.06, 39.52) or 0, 1) == -0.6
    assert _change(None, 1.0) is None


def test_the_jd_is_shown_under_the_usual_headings(etter: Etter, service: Served, jd: Path) -> None:
    jd.write_text("Duties:\n- Prepare the payroll\n\x1b[31m- Check it\n")
    assert etter(*PUSH, jd).code == 0
    service.work()
    ran = etter("show", ANALYST, "--jd")
    assert ran.stdout.startswith("# Analyst\n\n## Key Responsibilities\n\n- Prepare the payroll\n")
    assert "\x1b" not in ran.stdout
    assert etter("show", ANALYST, "--jd", "--json").json["documents"][0]["name"] == "analyst.md"
    assert etter("show", ANALYST, "--jd", "--history").code == 2


def test_a_file_is_formatted_without_a_service(etter: Etter, tmp_path: Path) -> None:
    path = tmp_path / "jd.txt"
    path.write_text("Duties:\n- Drive a van\nBenefits:\n- Gym\n")
    ran = etter("format", path, "--title", "Driver")
    assert ran.code == 0
    assert ran.stdout == (
        "# Driver\n\n## Overview\n\n### Benefits\n\n- Gym\n\n## Key Responsibilities\n\n"
        "- Drive a van\n"
    )
    assert etter("format", path, "--json").json["formatted"].startswith("# Job Description\n")
    assert etter("format", tmp_path / "none.txt").code == 2
