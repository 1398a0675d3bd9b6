"""Is a document a job description (JD) at all? Told apart before anything is spent on it.

- `judging.py`: `judge(text)`, the entry: pure, deterministic, a millisecond.
- `signs.py`: the signs of a JD; `kinds.py`: what else a document can be, with the signs of each;
  `cues.py`: how a sign is looked for.
- `shape.py`: what a text is whatever its words; `work.py`: whether it speaks of work at all.

A document is refused for what it shows to be, hardly ever for what it lacks: a terse or odd JD
passes.
How well this works is measured: `training/quality`, with the figures in `docs/assessors.md`.
"""
