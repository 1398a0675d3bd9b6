"""Scores: in bounds, the same each time, explained by words, unaffected by the other tasks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from etter_dagster.assessors.exposure.explaining import strongest_words
from etter_dagster.assessors.exposure.scoring import score_tasks
from etter_dagster.assessors.exposure.weights import WEIGHTS_FILE, read_weights

WEIGHTS = read_weights()
DESK = "Write reports and correspondence summarizing survey data"
HANDS = "Lift heavy boxes and load them onto trucks"


def test_the_weights_are_small_enough_to_ship() -> None:
    """Under 5 MB is the contract with those who install it."""
    assert WEIGHTS_FILE.stat().st_size < 5_000_000


def test_the_weights_are_finite_and_their_keys_ascend() -> None:
    """Keys are found by binary search; half precision overflows to infinity."""
    for block in (WEIGHTS.words, WEIGHTS.chars, WEIGHTS.openings):
        assert (np.diff(block.keys.astype(np.int64)) > 0).all()
        assert np.isfinite(block.slopes).all()
        assert np.isfinite(block.idf).all()
    assert (np.diff(WEIGHTS.meaning.keys.astype(np.int64)) > 0).all()
    assert np.isfinite(WEIGHTS.meaning.slopes).all()


def test_work_at_a_desk_is_more_exposed_than_work_with_hands() -> None:
    scores = score_tasks(WEIGHTS, [DESK, HANDS])
    beta = scores.direct + scores.with_tools / 2
    assert beta[0] > 0.6
    assert beta[1] < 0.2


def test_a_task_is_scored_by_itself() -> None:
    """The other tasks of the document change nothing, nor does their order."""
    together = score_tasks(WEIGHTS, [HANDS, DESK, "Repair roofs"])
    alone = score_tasks(WEIGHTS, [DESK])
    assert together.direct[1] == alone.direct[0]
    assert together.with_tools[1] == alone.with_tools[0]


def test_case_and_punctuation_change_nothing() -> None:
    scores = score_tasks(WEIGHTS, [DESK, DESK.upper() + "!"])
    assert scores.direct[0] == scores.direct[1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=6))
def test_shares_of_any_texts_are_a_distribution(texts: list[str]) -> None:
    scores = score_tasks(WEIGHTS, texts)
    assert scores.direct.shape == (len(texts),)
    for share in (scores.direct, scores.with_tools, 1 - scores.direct - scores.with_tools):
        assert ((share >= -1e-9) & (share <= 1 + 1e-9)).all()


def test_the_words_behind_a_score_are_words_of_the_task_with_their_direction() -> None:
    desk, hands = strongest_words(score_tasks(WEIGHTS, [DESK, HANDS]), 2)
    assert desk
    assert hands
    assert {word[0] for word in desk + hands} <= {"+", "-"}
    assert {word[1:] for word in desk} <= set(DESK.lower().split())
    assert {word[1:] for word in hands} <= set(HANDS.lower().split())
    assert desk[0][0] == "+"
    assert hands[0][0] == "-"


def test_the_strongest_words_come_first() -> None:
    scores = score_tasks(WEIGHTS, [DESK])
    pushes = dict(zip(scores.words, scores.word_push, strict=True))
    strengths = [abs(pushes[word[1:]]) for word in strongest_words(scores, 1)[0]]
    assert strengths == sorted(strengths, reverse=True)
