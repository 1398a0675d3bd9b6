"""Learn weights from labelled tasks: `train.py` from all of them, `evaluate.py` from parts.

Ridge regression on n-grams and on closeness to landmarks in a space of topics. The only random
parts are the start of the SVD and the choice of landmarks; both have a fixed seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD

from etter_dagster.assessors.exposure.grams import Grams, hash_texts
from etter_dagster.assessors.exposure.meaning import Meaning, closeness, places
from etter_dagster.assessors.exposure.scoring import tf_idf
from etter_dagster.assessors.exposure.weights import Block, weights_file
from training.tasks import Tasks

Matrix: TypeAlias = Any
"""Of NumPy or of SciPy, which has no types."""


@dataclass(frozen=True)
class Choices:
    """What cross-validation inside the task file chose; `report.md` has the figures."""

    ridge: float = 3.0
    human_part: float = 0.7
    """The weight of the human label in the target; the rest is GPT-4's."""
    least_texts: int = 2
    """An n-gram of fewer texts is left out."""
    openings: float = 0.5
    meaning: float = 1.0
    topics: int = 64
    landmarks: int = 512
    sharpness: float = 2.0
    seed: int = 0


def fit(tasks: Tasks, choices: Choices | None = None) -> bytes:
    """The weights file learned from the tasks."""
    choices = choices or Choices()
    texts = len(tasks)
    hashed = hash_texts(list(tasks.text))
    kinds = {"words": hashed.words, "chars": hashed.chars, "openings": hashed.openings}
    scales = {"words": 1.0, "chars": 1.0, "openings": choices.openings**0.5}
    blocks = {name: vocabulary(grams, texts, choices) for name, grams in kinds.items()}
    features: list[Matrix] = [
        scales[name] * matrix(kinds[name], *blocks[name], texts) for name in kinds
    ]
    meaning, near, whiten = _meaning(hashed.singles, texts, choices)
    features.append(near @ whiten)
    labels = targets(tasks, choices.human_part)
    slopes, intercept = ridge(features, labels, choices.ridge)
    # GPT-4's labels help to put tasks in order; how high they lie is said by the human ones alone.
    intercept += (targets(tasks, 1.0) - labels).mean(axis=0).astype(np.float32)
    *of_grams, of_landmarks = slopes
    return weights_file(
        {
            name: Block(*blocks[name], scales[name] * slope)
            for name, slope in zip(kinds, of_grams, strict=True)
        },
        replace(meaning, slopes=whiten @ of_landmarks),
        intercept,
    )


def targets(tasks: Tasks, human: float) -> NDArray[np.float64]:
    """(task, output): the share of E1 and of E2 in the labels, the human one weighing `human`."""
    shares = [human * (tasks.human == e) + (1 - human) * (tasks.gpt4 == e) for e in ("E1", "E2")]
    return np.stack(shares, axis=1)


def vocabulary(
    grams: Grams, texts: int, choices: Choices
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """The n-grams that occur in enough texts, and their smooth IDF."""
    pairs = np.unique(grams.keys.astype(np.int64) * texts + grams.text)
    keys, count = np.unique(pairs // texts, return_counts=True)
    keep = count >= choices.least_texts
    idf = np.log((1 + texts) / (1 + count[keep])) + 1
    return keys[keep].astype(np.uint32), idf.astype(np.float32)


def matrix(
    grams: Grams, keys: NDArray[np.uint32], idf: NDArray[np.float32], texts: int
) -> sparse.csr_matrix:
    """(text, n-gram) as the assessor sees it."""
    where, column, value = tf_idf(grams, keys, idf, texts)
    return sparse.csr_matrix((value, (grams.text[where], column)), shape=(texts, keys.size))


def _meaning(
    singles: Grams, texts: int, choices: Choices
) -> tuple[Meaning, NDArray[np.float32], NDArray[np.float32]]:
    """Topics and landmarks; closeness of the texts to them; what makes ridge on it a kernel's.

    The last is the Nyström method: closeness times the inverse root of the closeness among the
    landmarks has the inner products of the kernel itself.
    """
    keys, idf = vocabulary(singles, texts, choices)
    counted = matrix(singles, keys, idf, texts)
    svd = TruncatedSVD(choices.topics, random_state=choices.seed).fit(counted)
    topics = svd.components_.T.astype(np.float32)
    by_text = counted.tocoo()
    place, _ = places(by_text.row, by_text.data[:, None] * topics[by_text.col], texts)
    means = KMeans(choices.landmarks, n_init=1, max_iter=20, random_state=choices.seed).fit(place)
    landmarks = means.cluster_centers_
    landmarks /= np.linalg.norm(landmarks, axis=1, keepdims=True)
    among, turn = np.linalg.eigh(
        closeness(landmarks, landmarks, choices.sharpness).astype(np.float64)
    )
    whiten = turn / np.sqrt(np.maximum(among, 1e-6)) @ turn.T
    near = closeness(place, landmarks, choices.sharpness)
    unlearned = np.zeros((choices.landmarks, 2), dtype=np.float32)
    meaning = Meaning(keys, idf, topics, landmarks, unlearned, choices.sharpness)
    return meaning, near, (choices.meaning**0.5 * whiten).astype(np.float32)


def ridge(
    features: Sequence[Matrix], outputs: NDArray[np.float64], penalty: float
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    """Slopes per block of features, and the intercept, by conjugate gradients.

    In the dual form, whose size is the number of texts whatever the number of n-grams.
    """
    texts = outputs.shape[0]

    def product(v: NDArray[np.float64]) -> NDArray[np.float64]:
        v = v - v.mean()
        total: NDArray[np.float64] = np.sum([x @ (x.T @ v) for x in features], axis=0)
        total += penalty * v - total.mean()
        return total

    gram = LinearOperator((texts, texts), matvec=product, dtype=np.float64)
    centre = outputs.mean(axis=0)
    dual = np.empty_like(outputs)
    for column in range(outputs.shape[1]):
        dual[:, column], failed = cg(gram, outputs[:, column] - centre[column], rtol=1e-5)
        if failed:
            raise RuntimeError("ridge regression did not converge")
    slopes = [np.asarray(x.T @ dual) for x in features]
    means = [np.asarray(x @ slope).mean(axis=0) for x, slope in zip(features, slopes, strict=True)]
    intercept = centre - np.sum(means, axis=0)
    return [slope.astype(np.float32) for slope in slopes], intercept.astype(np.float32)
