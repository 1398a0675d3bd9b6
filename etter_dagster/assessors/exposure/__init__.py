"""The built-in assessor: reads the tasks out of a job description and scores their exposure.

- `model.py`: `ExposureModel.load().assess(text)`, the entry; `result.py`: what it gives.
- `cleaning.py`, `layout.py`, `sections.py`, `listing.py`, `sentences.py`, `verbs.py`, `doers.py`,
  `reading.py`: from a document to its tasks.
- `wording.py`, `grams.py`, `meaning.py`, `weights.py`, `scoring.py`, `explaining.py`: from tasks to
  scores and reasons.
- `weights.npz`, `MODEL_CARD.md`: what training made, and what it is and is not.

Training is not part of the package; it stands in the project's `training/`.
"""
