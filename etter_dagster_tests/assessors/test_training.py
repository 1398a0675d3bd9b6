"""The training script, on a small part of its data; the report and the weights that are shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from etter_dagster.assessors.exposure.scoring import score_tasks
from etter_dagster.assessors.exposure.weights import WEIGHTS_FILE, read_weights, weights_of

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "training" / "report.md"
MODEL_CARD = WEIGHTS_FILE.with_name("MODEL_CARD.md")
FIGURES = re.compile(r"^\| .* \| (0\.\d+) \| (0\.\d+) \| 0\.\d+ \|$", re.MULTILINE)


def test_the_report_is_about_the_weights_that_are_shipped() -> None:
    """Weights that nobody evaluated must not ship."""
    assert f"digest {read_weights().digest}." in REPORT.read_text(encoding="utf-8")


def test_the_report_is_above_the_plain_reference_on_all_three() -> None:
    figures = FIGURES.findall(REPORT.read_text(encoding="utf-8"))
    assert len(figures) == 3
    assert all(float(ours) > float(to_beat) for to_beat, ours in figures)


def test_the_model_card_has_the_figures_of_the_report() -> None:
    rows = [m.group() for m in FIGURES.finditer(REPORT.read_text(encoding="utf-8"))]
    assert [m.group() for m in FIGURES.finditer(MODEL_CARD.read_text(encoding="utf-8"))] == rows


def test_the_data_stands_beside_its_licences() -> None:
    licences = (ROOT / "training" / "data" / "LICENSE.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in licences
    assert "MIT licence" in licences


def test_training_twice_gives_the_same_file_and_it_tells_exposed_tasks_from_others() -> None:
    """The seed is fixed: a digest names the data and the code it came from."""
    pytest.importorskip("sklearn", reason="run `tools/install.sh training`")
    from training.fitting import Choices, fit
    from training.tasks import read_tasks

    tasks = read_tasks()
    part = tasks.part(tasks.soc < "13-2")
    choices = Choices(topics=8, landmarks=16)
    written = fit(part, choices)
    assert fit(part, choices) == written
    weights = weights_of(written)
    scores = score_tasks(weights, list(part.text))
    exposed, others = part.human == "E1", part.human == "E0"
    assert scores.direct[exposed].mean() > 2 * scores.direct[others].mean()


def test_an_occupation_is_never_in_two_folds() -> None:
    """Else a figure would be about occupations that the weights had seen."""
    pytest.importorskip("sklearn", reason="run `tools/install.sh training`")
    from training.evaluate import folds
    from training.tasks import read_tasks

    tasks = read_tasks()
    fold = folds(tasks)
    assert len(set(zip(tasks.soc, fold.tolist(), strict=True))) == len(set(tasks.soc))
    assert set(fold.tolist()) == {0, 1, 2, 3, 4}


def test_a_missing_folder_of_pages_is_named(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="run `tools/install.sh training`")
    from training.evaluate import read_pages

    with pytest.raises(FileNotFoundError, match="ETTER_OCCUPATION_PAGES"):
        read_pages(tmp_path)
