"""What a task is about, apart from its wording: a place among known tasks, and what those say.

Words lie in a space of topics (latent semantic analysis of the training tasks); a task lies where
its words are; landmarks in that space each push the tasks around them. This is what linear
weights cannot say: "prepare" beside "report" is not "prepare" beside "site". Numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_LENGTH = 1e-9


@dataclass(frozen=True)
class Meaning:
    """The space of topics and its landmarks; the arrays of each are parallel."""

    keys: NDArray[np.uint32]
    """Hashes of single words, ascending."""
    idf: NDArray[np.float32]
    topics: NDArray[np.float32]
    """(word, topic)."""
    landmarks: NDArray[np.float32]
    """(landmark, topic), each of unit length."""
    slopes: NDArray[np.float32]
    """(landmark, output): what a task at the landmark gets."""
    sharpness: float
    """How fast a landmark's push fades with distance."""


def places(
    text: NDArray[np.int64], topics: NDArray[np.float32], texts: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each text lies, at unit length (or at zero), and the length before.

    Args:
        text: Per word the text it stands in.
        topics: Per word its weighted topics.
        texts: How many texts there are.
    """
    place = np.zeros((texts, topics.shape[1]), dtype=np.float32)
    np.add.at(place, text, topics)
    length = np.sqrt((place**2).sum(axis=1))
    return place / np.maximum(length, LEAST_LENGTH)[:, None], length


def closeness(
    place: NDArray[np.float32], landmarks: NDArray[np.float32], sharpness: float
) -> NDArray[np.float32]:
    """(text, landmark): 1 at the landmark, falling with the angle.

    `einsum` here and in `scoring.py`: these products are small, and the threads of a BLAS cost more
    than they do on a machine with other work; nor does it round otherwise for more texts at once.
    """
    cosine = np.einsum("ij,kj->ik", place, landmarks)
    near: NDArray[np.float32] = np.exp(sharpness * (cosine - 1)).astype(np.float32)
    return near
