"""Any text under the headings of a job description (JD), no sentence lost.

- `jd.py`: `format_jd(text)`, the entry: pure, deterministic, idempotent.
- `placing.py`, `places.py`: which part of a JD each block of the text belongs to.
- `writing.py`: the parts as Markdown; `form.py`: whether a text is in that form already.
- `losses.py`: sentences of a text that another one lacks.

How lines are read is `assessors/exposure`'s; this is for people: an assessor is given the original.
"""
