"""What an exposure assessment says. Plain records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Exposure = Literal["E0", "E1", "E2"]
Category = Literal["automation", "augmentation", "human"]


class NoTasksFound(ValueError):
    """The text says nothing about what the job's holder does."""


@dataclass(frozen=True)
class ExposedTask:
    """One task and how far a language model can take it over."""

    task: str
    exposure: Exposure
    """The likeliest label: none, direct, or with tools built on a language model."""
    category: Category
    score: float
    """0-100: 100 x (expected share of E1 + half of that of E2)."""
    weight: float
    """Its part in the role's scores; the weights of a role's tasks sum to 1."""
    evidence: tuple[str, ...]
    """The words that moved its score most, each with the direction: `+reports`, `-lift`."""


@dataclass(frozen=True)
class ExposureResult:
    """Scores of a role, each 0-100; the first is the sum of the next two."""

    tasks: tuple[ExposedTask, ...]
    ai_automation_score: float
    ai_automation_potential_score: float
    ai_augmentation_potential_score: float
    summary: str
