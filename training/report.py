"""The report of an evaluation as Markdown. Nothing is measured here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

from etter_dagster.assessors.exposure.weights import WEIGHTS_FILE, read_weights
from training.fitting import Choices

REPORT_FILE = Path(__file__).with_name("report.md")


@dataclass(frozen=True)
class Figures:
    """What an evaluation measures; correlations are Spearman's, over occupations."""

    tasks: int
    occupations: int
    pages: int
    folds: float
    majors: float
    whole_pages: float
    gpt4: float
    gpt4_pages: float
    task: float
    error: float
    """Mean distance from the human beta, of 100, in the folds."""
    bias: float
    page_bias: float


def write_report(figures: Figures, times: list[float], path: Path = REPORT_FILE) -> Path:
    """Write the report."""
    f = figures
    choices = ", ".join(f"{name} {value}" for name, value in asdict(Choices()).items())
    path.write_text(
        f"""# How the built-in assessor was judged

Written by `python -m training.evaluate`; do not edit. Every figure comes from weights that were
trained without the occupation that is judged (n-grams, topics and landmarks included), through
the code that the package ships. The figures are Spearman's correlation with the human beta over
6-digit occupations, tasks weighted as in the paper. Choices were made by cross-validation in
`data/task-exposure/tasks.tsv`.

| judged on | to beat | ours | GPT-4's own labels |
| --- | --- | --- | --- |
| {f.occupations} occupations, 5 folds by 6-digit code | 0.924 | {f.folds:.4f} | {f.gpt4:.4f} |
| the same, leaving out one major group | 0.915 | {f.majors:.4f} | {f.gpt4:.4f} |
| {f.pages} occupation pages, the whole text | 0.79 | {f.whole_pages:.4f} | {f.gpt4_pages:.4f} |

"To beat" is a plain TF-IDF (words 1-2, characters 3-5) and ridge; GPT-4's labels on the pages'
occupations stand for their full task lists.

- Single tasks, 5 folds: {f.task:.3f} over {f.tasks} tasks: one task's score is far
  less certain than a role's.
- Distance from the human beta, of 100: {f.error:.1f} in the mean, {f.bias:+.1f} on
  balance; on the pages {f.page_bias:+.1f} on balance.
- Processor time for a document of three pages (9,000 characters): median {median(times):.1f} ms,
  95 of 100 under {quantiles(times, n=20)[-1]:.1f} ms, longest {max(times):.1f} ms.
- Weights: {WEIGHTS_FILE.stat().st_size / 1e6:.2f} MB, digest {read_weights().digest}.
- Choices: {choices}.
""",
        encoding="utf-8",
    )
    return path
