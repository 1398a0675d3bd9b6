"""A task scores the same in each form that people write it in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etter_dagster.assessors.exposure.scoring import score_tasks
from etter_dagster.assessors.exposure.weights import read_weights
from etter_dagster.assessors.exposure.wording import plain
from training.tasks import read_tasks

ORDER = "Prepare and file tax returns for clients"
FORMS = [
    "Prepares and files tax returns for clients",
    "Preparing and filing tax returns for clients",
    "You will prepare and file tax returns for clients",
    "As an accountant you'll also prepare and file tax returns for clients",
    "Responsible for preparing and filing tax returns for clients",
    "The accountant will prepare and file tax returns for clients",
    "To prepare and file tax returns for clients",
    "Taxes: Prepare and file tax returns for clients",
    "Taxes – preparing and filing tax returns for clients",
]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_task_is_the_same_order_and_scores_the_same(form: str) -> None:
    """The third person alone once moved the mean of all tasks by 2 points, and their order more."""
    assert plain(form) == ORDER
    scores = score_tasks(read_weights(), [ORDER, form])
    assert scores.direct[0] == scores.direct[1]
    assert scores.with_tools[0] == scores.with_tools[1]


@pytest.mark.parametrize(
    "text",
    [
        "Building maintenance and repairs",
        "Cash and card payments",
        "Engineering drawings for three sites",
        "Customers' complaints",
        "",
        "12 34",
    ],
)
def test_what_is_no_form_of_a_verb_stays(text: str) -> None:
    assert plain(text) == text


def test_the_tasks_that_the_weights_come_from_stay_as_they_are() -> None:
    """Training and run time must see the same text."""
    changed = [text for text in read_tasks().text if plain(text).lower() != text.lower()]
    assert changed == []


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_at_all_has_a_plain_form_and_a_score(text: str) -> None:
    assert len(plain(text)) <= len(text) + 4
    assert np.isfinite(score_tasks(read_weights(), [text]).direct).all()
