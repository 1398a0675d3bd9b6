"""The sample roles are those of the contract, with job descriptions in its headings."""

from __future__ import annotations

import re

import pytest

from etter_dagster.sample_data import sample_job_description, sample_roles

# Section 7 of the contract: company, job id, role, job role, Draup role.
CONTRACT = [
    ("Liberty Mutual", "lm-001", "Claims Adjuster", "Insurance Claims Specialist"),
    ("Liberty Mutual", "lm-002", "Underwriter", "Insurance Underwriter"),
    ("Liberty Mutual", "lm-003", "Risk Analyst", "Risk Assessment Specialist"),
    ("Walmart Inc.", "wm-001", "Store Manager", "Retail Store Manager"),
    ("Walmart Inc.", "wm-002", "Software Development Engineer", "Software Developer"),
    ("Walmart Inc.", "wm-003", "Supply Chain Analyst", "Supply Chain Specialist"),
    ("Acme Corporation", "acme-001", "Product Manager", "Product Management Lead"),
    ("Acme Corporation", "acme-002", "Data Scientist", "Data Science Specialist"),
]
JOB_IDS = [row[1] for row in CONTRACT]


def test_the_sample_roles_are_those_of_the_contract() -> None:
    roles = [(r.company_name, r.job_id, r.job_title, r.draup_role) for r in sample_roles()]
    assert roles == CONTRACT
    assert {r.status for r in sample_roles()} == {"active"}


def test_the_underwriter_is_a_senior_underwriter_to_the_taxonomy() -> None:
    """The one sample whose `job_role` differs from its title; lists show both."""
    differing = {r.job_id: r.job_role for r in sample_roles() if r.job_role != r.job_title}
    assert differing == {"lm-002": "Senior Underwriter"}


def test_the_first_role_has_occupation_and_family_of_the_contract_and_all_have_some() -> None:
    first = sample_roles()[0]
    assert (first.occupation, first.job_family) == ("Claims Specialist", "Claims Operations")
    assert all(
        r.occupation and r.job_family and r.skills and r.general_summary for r in sample_roles()
    )


@pytest.mark.parametrize("job_id", JOB_IDS)
def test_a_sample_job_description_has_the_headings_of_the_contract(job_id: str) -> None:
    text = sample_job_description(job_id)
    title = next(r.job_title for r in sample_roles() if r.job_id == job_id)
    headings = re.findall(r"^#+ .+$", text, re.MULTILINE)
    assert headings[:3] == [f"# {title}", "## Overview", "## Key Responsibilities"]
    requirements = headings.index("## Requirements")
    themes = headings[3:requirements]
    assert len(themes) >= 3
    assert all(theme.startswith("### ") for theme in themes)
    assert headings[requirements + 1 :] == ["### Education", "### Experience", "### Skills"]


@pytest.mark.parametrize("job_id", JOB_IDS)
def test_a_sample_job_description_has_the_length_of_a_real_one(job_id: str) -> None:
    text = sample_job_description(job_id)
    assert 350 <= len(text.split()) <= 600
    responsibilities = text.split("## Key Responsibilities")[1].split("## Requirements")[0]
    assert len(re.findall(r"^- ", responsibilities, re.MULTILINE)) >= 12
