"""How well the built-in assessor ranks occupations that it has not seen, and how fast it is.

Run it as `python -m training.evaluate`; it writes `training/report.md`. Every figure comes from
models trained without the occupation that is judged, through the code that the package ships.
Pages are read from `examples/occupation-pages`, or from the folder that `ETTER_OCCUPATION_PAGES`
names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.model_selection import GroupKFold

from etter_dagster.assessors.exposure.model import ExposureModel
from etter_dagster.assessors.exposure.scoring import score_tasks
from etter_dagster.assessors.exposure.weights import Weights, weights_of
from training.fitting import Choices, fit
from training.report import Figures, write_report
from training.tasks import Tasks, beta, by_occupation, read_tasks

PAGES = Path(__file__).parents[1] / "examples" / "occupation-pages"
FOLDS = 5
PAGE_CHARACTERS = 3000


@dataclass(frozen=True)
class Page:
    """A text about an occupation, written by people."""

    soc: str
    text: str


def read_pages(folder: Path | None = None) -> list[Page]:
    """The pages whose file name begins with a 6-digit code, in the order of their names."""
    folder = folder or Path(os.environ.get("ETTER_OCCUPATION_PAGES") or PAGES)
    files = sorted(folder.glob("[0-9][0-9]-[0-9][0-9][0-9][0-9]-*.md"))
    if not files:
        raise FileNotFoundError(f"no occupation pages in {folder}; set ETTER_OCCUPATION_PAGES")
    return [Page(file.name[:7], file.read_text(encoding="utf-8")) for file in files]


def folds(tasks: Tasks) -> NDArray[np.int64]:
    """The fold of each task; an occupation is never in two."""
    fold = np.zeros(len(tasks), dtype=np.int64)
    for number, (_, test) in enumerate(GroupKFold(FOLDS).split(tasks.text, groups=tasks.soc)):
        fold[test] = number
    return fold


def held_out(
    tasks: Tasks, groups: NDArray[np.generic], choices: Choices | None = None
) -> Iterator[tuple[NDArray[np.bool_], Weights]]:
    """Per group the tasks in it, and weights learned from all the others."""
    for group in np.unique(groups):
        test = groups == group
        yield test, weights_of(fit(tasks.part(~test), choices))


def task_scores(weights: Weights, texts: NDArray[np.object_]) -> NDArray[np.float64]:
    """The beta that the weights expect of each task."""
    scores = score_tasks(weights, list(texts))
    return scores.direct + scores.with_tools / 2


def agreement(tasks: Tasks, scores: NDArray[np.float64]) -> float:
    """Spearman's correlation with the human beta, over 6-digit occupations."""
    _, human = by_occupation(tasks, beta(tasks.human))
    _, ours = by_occupation(tasks, scores)
    return float(spearmanr(human, ours).statistic)


def page_scores(weights: Weights, pages: list[Page], socs: set[str]) -> Iterator[tuple[int, float]]:
    """The scores, 0-100, of the pages of some occupations, each read from its whole text."""
    model = ExposureModel(weights)
    for number, page in enumerate(pages):
        if page.soc in socs:
            yield number, model.assess(page.text).ai_automation_score


def evaluate(choices: Choices | None = None, *, majors: bool = True) -> Figures:
    """All figures; `majors=False` leaves out the slow one, for comparing choices."""
    tasks, pages = read_tasks(), read_pages()
    ours = np.zeros(len(tasks))
    on_pages = np.full(len(pages), np.nan)
    for test, weights in held_out(tasks, folds(tasks), choices):
        ours[test] = task_scores(weights, tasks.text[test])
        for number, score in page_scores(weights, pages, set(tasks.soc[test])):
            on_pages[number] = score
    by_major = np.full(len(tasks), np.nan)
    if majors:
        for test, weights in held_out(tasks, tasks.major, choices):
            by_major[test] = task_scores(weights, tasks.text[test])
    socs, human = by_occupation(tasks, beta(tasks.human))
    _, gpt4 = by_occupation(tasks, beta(tasks.gpt4))
    known = np.isin([page.soc for page in pages], socs)
    at = np.searchsorted(socs, [page.soc for page in pages])[known]
    return Figures(
        tasks=len(tasks),
        occupations=len(socs),
        pages=int(known.sum()),
        folds=agreement(tasks, ours),
        majors=agreement(tasks, by_major) if majors else float("nan"),
        whole_pages=float(spearmanr(human[at], on_pages[known]).statistic),
        gpt4=float(spearmanr(human, gpt4).statistic),
        gpt4_pages=float(spearmanr(human[at], gpt4[at]).statistic),
        task=float(spearmanr(beta(tasks.human), ours).statistic),
        error=float(np.abs(by_occupation(tasks, ours)[1] - human).mean() * 100),
        bias=float((by_occupation(tasks, ours)[1] - human).mean() * 100),
        page_bias=float((on_pages[known] - 100 * human[at]).mean()),
    )


def milliseconds(pages: list[Page], length: int = 3 * PAGE_CHARACTERS) -> list[float]:
    """Processor time of one assessment each of documents of the given length, shipped weights."""
    model = ExposureModel.load()
    texts = [
        "\n\n".join(page.text for page in pages[n : n + 4])[:length] for n in range(len(pages))
    ]
    model.assess(texts[0])
    times = []
    for text in texts:
        begin = process_time()
        model.assess(text)
        times.append(1000 * (process_time() - begin))
    return times


def main() -> None:
    """Evaluate the choices as they stand and write the report."""
    report = write_report(evaluate(), milliseconds(read_pages()))
    print(report.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
