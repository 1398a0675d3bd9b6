"""Is a document a job description (JD) at all? Told apart before anything is spent on it.

- `judging.py`: `judge(text)`, the entry: pure, deterministic, a millisecond.
- `kinds.py`: what else a document can be, with the signs of each; `signs.py`: the signs of a JD.

A document is refused for what it shows to be, never for what it lacks: a terse or odd JD passes.
How well this works is measured: `training/quality`, with the figures in `docs/assessors.md`.
"""
