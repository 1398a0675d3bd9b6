"""Train the built-in assessor and write its weights into the package.

Run it as `python -m training.train`. It reads `training/data/task-exposure/tasks.tsv` and nothing
else; its seed is fixed, so the same data and the same libraries give the same weights.
"""

from __future__ import annotations

import os

from etter_dagster.assessors.exposure.weights import WEIGHTS_FILE, read_weights
from training.fitting import fit
from training.tasks import read_tasks


def main() -> None:
    """Train on all tasks and write the weights; the old stay until the new are complete."""
    written = WEIGHTS_FILE.with_suffix(".new")
    written.write_bytes(fit(read_tasks()))
    os.replace(written, WEIGHTS_FILE)
    print(f"{WEIGHTS_FILE.name}: {WEIGHTS_FILE.stat().st_size} bytes, {read_weights().digest}")


if __name__ == "__main__":
    main()
