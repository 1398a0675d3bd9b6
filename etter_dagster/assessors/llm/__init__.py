"""An assessor over any OpenAI-compatible chat endpoint (`LLM_BASE_URL`, `LLM_MODEL`).

- `assessor.py`: `LlmAssessor`, the entry: which calls are made, and what becomes of the labels.
- `planning.py`: which tasks go into which call; `suspicion.py`: those that must be alone in theirs.
- `rubric.py`: what the model is asked; `labels.py`: what it answered.
- `endpoint.py`: the HTTP; the only module that knows it.
- `scoring.py`: labels to scores, as the built-in assessor does.

The text of a JD is data: tasks are read out of it by our own reader, and the model only labels
numbered tasks. Nothing that a JD says can reach the scores but through the label of its own task.
"""
