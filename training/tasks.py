"""The labelled tasks of `data/task-exposure/tasks.tsv`; what is learned from them is not here."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TASKS_FILE = Path(__file__).parent / "data" / "task-exposure" / "tasks.tsv"
CORE_WEIGHT = 2.0


@dataclass(frozen=True)
class Tasks:
    """The labelled tasks, as parallel arrays."""

    text: NDArray[np.object_]
    soc: NDArray[np.str_]
    """The 6-digit occupation code, `NN-NNNN`."""
    weight: NDArray[np.float64]
    """The paper's: core tasks count twice."""
    human: NDArray[np.str_]
    gpt4: NDArray[np.str_]

    @property
    def major(self) -> NDArray[np.str_]:
        """The major group of each task's occupation, `NN`."""
        return self.soc.astype("<U2")

    def __len__(self) -> int:
        return len(self.text)

    def part(self, keep: NDArray[np.bool_]) -> Tasks:
        """Some of the tasks."""
        return Tasks(
            self.text[keep], self.soc[keep], self.weight[keep], self.human[keep], self.gpt4[keep]
        )


def read_tasks(path: Path = TASKS_FILE) -> Tasks:
    """Read the labelled tasks."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return Tasks(
        text=np.array([row["task"] for row in rows], dtype=object),
        soc=np.array([row["onet_soc_code"][:7] for row in rows]),
        weight=np.array([CORE_WEIGHT if row["task_type"] == "Core" else 1.0 for row in rows]),
        human=np.array([row["human_exposure"] for row in rows]),
        gpt4=np.array([row["gpt4_exposure"] for row in rows]),
    )


def beta(labels: NDArray[np.str_]) -> NDArray[np.float64]:
    """The paper's beta of each task: 1 for E1, 1/2 for E2."""
    shares: NDArray[np.float64] = (labels == "E1") + (labels == "E2") / 2
    return shares


def by_occupation(
    tasks: Tasks, values: NDArray[np.float64]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """The 6-digit codes and the weighted mean of the values of each."""
    socs, at = np.unique(tasks.soc, return_inverse=True)
    return socs, np.bincount(at, tasks.weight * values) / np.bincount(at, tasks.weight)
