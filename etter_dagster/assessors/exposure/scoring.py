"""Expected exposure of tasks: n-grams in, shares of E1 and E2 out, and the words behind them.

Numpy only. Where tasks come from is `reading.py`'s business, what they add up to `model.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from etter_dagster.assessors.exposure.grams import Grams, hash_texts
from etter_dagster.assessors.exposure.meaning import LEAST_LENGTH, Meaning, closeness, places
from etter_dagster.assessors.exposure.weights import Block, Weights
from etter_dagster.assessors.exposure.wording import plain


@dataclass(frozen=True)
class Pushes:
    """How much each known n-gram occurrence pushes its text up, as parallel arrays."""

    text: NDArray[np.int64]
    word: NDArray[np.int64]
    push: NDArray[np.float32]
    """(occurrence, output)."""


@dataclass(frozen=True)
class TaskScores:
    """Per text: the expected shares of E1 and E2; per word: what it pushed."""

    direct: NDArray[np.float64]
    with_tools: NDArray[np.float64]
    words: tuple[str, ...]
    word_text: NDArray[np.int64]
    word_push: NDArray[np.float64]
    """On 100 x (E1 + E2 / 2), the task's score."""


def tf_idf(
    grams: Grams, keys: NDArray[np.uint32], idf: NDArray[np.float32], texts: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Sublinear TF-IDF, each text at unit length.

    Returns:
        Place of each known occurrence in `grams`, its column, and its part of the value of its
        (text, column) pair; the parts of one pair are equal and sum up to the value.
    """
    column = np.searchsorted(keys, grams.keys).clip(max=keys.size - 1)
    known = np.flatnonzero(keys[column] == grams.keys)
    column = column[known]
    pair = grams.text[known] * keys.size + column
    _, first, inverse, count = np.unique(
        pair, return_index=True, return_inverse=True, return_counts=True
    )
    value = (1 + np.log(count)) * idf[column[first]]
    length = np.sqrt(np.bincount(grams.text[known[first]], weights=value**2, minlength=texts))
    value /= length[grams.text[known[first]]]
    return known, column, (value / count)[inverse].astype(np.float32)


def score_tasks(weights: Weights, texts: Sequence[str]) -> TaskScores:
    """Score each text by itself."""
    hashed = hash_texts([plain(text) for text in texts])
    of_grams = [
        _pushes(hashed.words, weights.words, len(texts)),
        _pushes(hashed.chars, weights.chars, len(texts)),
        _pushes(hashed.openings, weights.openings, len(texts)),
    ]
    gained, of_meaning = _of_meaning(hashed.singles, weights.meaning, len(texts))
    raw = weights.intercept + gained + _sums(of_grams, by="text", size=len(texts))
    direct, with_tools = _shares(raw[:, 0], raw[:, 1])
    by_word = _sums([*of_grams, of_meaning], by="word", size=len(hashed.spelling))
    return TaskScores(
        direct=direct,
        with_tools=with_tools,
        words=tuple(hashed.spelling),
        word_text=hashed.singles.text,
        word_push=100 * (by_word[:, 0] + by_word[:, 1] / 2),
    )


def _sums(
    parts: Sequence[Pushes], *, by: Literal["text", "word"], size: int
) -> NDArray[np.float64]:
    """(text or word, output): the pushes on it added up."""
    at = np.concatenate([getattr(part, by) for part in parts])
    push = np.concatenate([part.push for part in parts]).astype(np.float64)
    return np.stack([np.bincount(at, weights=column, minlength=size) for column in push.T], axis=1)


def _pushes(grams: Grams, block: Block, texts: int) -> Pushes:
    where, column, value = tf_idf(grams, block.keys, block.idf, texts)
    return Pushes(
        text=grams.text[where],
        word=grams.word[where],
        push=value[:, None] * block.slopes[column],
    )


def _of_meaning(singles: Grams, meaning: Meaning, texts: int) -> tuple[NDArray[np.float32], Pushes]:
    """What the landmarks give each text, and each word's part in it to first order."""
    where, column, value = tf_idf(singles, meaning.keys, meaning.idf, texts)
    text = singles.text[where]
    topics = value[:, None] * meaning.topics[column]
    place, length = places(text, topics, texts)
    near = closeness(place, meaning.landmarks, meaning.sharpness)
    slopes = [
        np.einsum("ik,kj->ij", meaning.sharpness * near * output, meaning.landmarks)
        for output in meaning.slopes.T
    ]
    steps = topics / np.maximum(length, LEAST_LENGTH)[text, None]
    push = np.stack([(steps * slope[text]).sum(axis=1) for slope in slopes], axis=1)
    gained = np.einsum("ik,ko->io", near, meaning.slopes)
    return gained, Pushes(text=text, word=singles.word[where], push=push)


def _shares(
    direct: NDArray[np.float64], with_tools: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make two regression outputs a distribution, leaving E1 + E2 / 2 as it is where possible."""
    exposure = np.clip(direct + with_tools / 2, 0, 1)
    direct = np.clip(direct, np.maximum(0, 2 * exposure - 1), exposure)
    return direct, 2 * (exposure - direct)
