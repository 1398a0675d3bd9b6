"""Skills out of a JD, and the exposure of the tasks that use them."""

from __future__ import annotations

from etter_dagster.model.assessment import AssessedTask
from etter_dagster.onboarding.skills_profile import mined_skills, role_skills

JD = """# Analyst

## Key Responsibilities
- Prepare weekly reports

## Requirements
### Education
- A degree
### Skills
- **Report** writing;
1. SQL queries
### Benefits
- Free fruit
"""


def test_only_lists_under_a_heading_about_skills_count() -> None:
    assert mined_skills(JD) == ["Report writing", "SQL queries"]
    assert mined_skills("Skills:\n• Welding\n• Drawing\n\nPay:\n• Good") == ["Welding", "Drawing"]
    assert mined_skills("no list at all") == []


def test_a_skill_has_the_mean_exposure_of_the_tasks_that_use_it() -> None:
    tasks = [
        AssessedTask(task="Prepare weekly reports", score=80),
        AssessedTask(task="Check reported figures", score=40),
        AssessedTask(task="Carry boxes", score=0),
    ]
    report, sql = role_skills(JD, (), tasks)
    assert (report.exposure, len(report.tasks)) == (60.0, 2)
    assert (sql.exposure, sql.tasks) == (None, ())


def test_skills_that_the_taxonomy_names_come_first_and_once() -> None:
    names = [s.name for s in role_skills(JD, ["Excel", "SQL queries"], [])]
    assert names == ["Excel", "SQL queries", "Report writing"]


def test_a_huge_text_without_line_breaks_takes_no_time() -> None:
    assert mined_skills("- " + "a " * 500_000) == []
