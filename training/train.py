"""Train the built-in assessor and write its weights into the package.

Run it as `python -m training.train`. It reads `training/data/task-exposure/tasks.tsv` and nothing else;
solving the normal equations has no random part, so the same data gives the same weights.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import Ridge

from etter_dagster.assessors.exposure.grams import Grams, hash_texts
from etter_dagster.assessors.exposure.scoring import tf_idf
from etter_dagster.assessors.exposure.weights import WEIGHTS_FILE, read_weights, write_weights

TASKS_FILE = Path(__file__).parent / "data" / "task-exposure" / "tasks.tsv"
ALPHA = 3.0
MIN_TEXTS = 2


@dataclass(frozen=True)
class Tasks:
    """The labelled tasks, as parallel arrays."""

    text: list[str]
    soc: NDArray[np.str_]
    weight: NDArray[np.float64]
    human: NDArray[np.str_]
    gpt4: NDArray[np.str_]


def read_tasks(path: Path = TASKS_FILE) -> Tasks:
    """Read the labelled tasks."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return Tasks(
        text=[row["task"] for row in rows],
        soc=np.array([row["onet_soc_code"][:7] for row in rows]),
        weight=np.array([2.0 if row["task_type"] == "Core" else 1.0 for row in rows]),
        human=np.array([row["human_exposure"] for row in rows]),
        gpt4=np.array([row["gpt4_exposure"] for row in rows]),
    )


def targets(tasks: Tasks) -> NDArray[np.float64]:
    """(task, output): the share of E1 and of E2 among the two labels."""
    return np.stack(
        [((tasks.human == e) * 1.0 + (tasks.gpt4 == e)) / 2 for e in ("E1", "E2")], axis=1
    )


def vocabulary(grams: Grams, texts: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """The n-grams that occur in at least `MIN_TEXTS` texts, and their smooth IDF."""
    pairs = np.unique(grams.keys.astype(np.int64) * texts + grams.text)
    keys, count = np.unique(pairs // texts, return_counts=True)
    keep = count >= MIN_TEXTS
    idf = np.log((1 + texts) / (1 + count[keep])) + 1
    return keys[keep].astype(np.uint32), idf.astype(np.float32)


def matrix(
    grams: Grams, keys: NDArray[np.uint32], idf: NDArray[np.float32], texts: int
) -> sparse.csr_matrix:
    """(text, n-gram) as the assessor sees it."""
    place, column, value = tf_idf(grams, keys, idf, texts)
    return sparse.csr_matrix((value, (grams.text[place], column)), shape=(texts, keys.size))


def main() -> None:
    """Train on all tasks and write the weights."""
    tasks = read_tasks()
    hashed = hash_texts(tasks.text)
    vocabularies = [vocabulary(grams, len(tasks.text)) for grams in (hashed.words, hashed.chars)]
    blocks = [
        matrix(grams, keys, idf, len(tasks.text))
        for grams, (keys, idf) in zip((hashed.words, hashed.chars), vocabularies, strict=True)
    ]
    model = Ridge(alpha=ALPHA, solver="sparse_cg", tol=1e-6)
    model.fit(sparse.hstack(blocks).tocsr(), targets(tasks))
    words = blocks[0].shape[1]
    slopes = np.split(model.coef_.T, [words])
    (word_keys, word_idf), (char_keys, char_idf) = vocabularies
    write_weights(
        WEIGHTS_FILE,
        {"words": (word_keys, word_idf, slopes[0]), "chars": (char_keys, char_idf, slopes[1])},
        model.intercept_,
    )
    print(f"{WEIGHTS_FILE.name}: {WEIGHTS_FILE.stat().st_size} bytes, {read_weights().digest}")


if __name__ == "__main__":
    main()
