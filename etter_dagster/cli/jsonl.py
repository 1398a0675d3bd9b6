"""Assessing lines: JSON in, JSON out, in order, each line by itself and at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

from etter_dagster.assessors.exposure.assessor import assess_text
from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.documents import MAX_DOCUMENT_BYTES
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed

# Escapes take up to six bytes for one of text; a longer line is not even held in memory.
MAX_LINE_BYTES = 6 * MAX_DOCUMENT_BYTES + 4096
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def assess_lines(source: BinaryIO, target: TextIO) -> int:
    """Assesses lines `{"id", "text"}` and writes a line for each; blank lines are left out.

    Args:
        source: The lines, in UTF-8.
        target: Receives `{"id", "scores", "tasks"}`, or `{"id", "error"}` for a bad line.

    Returns:
        How many were bad.
    """
    bad = 0
    for line in _lines(source):
        answer = answer_to(line)
        bad += "error" in answer
        target.write(json.dumps(answer) + "\n")
        target.flush()  # whoever waits for the answer before writing on gets it
    return bad


def answer_to(line: bytes | None) -> dict[str, Any]:
    """What a line is answered with.

    Args:
        line: One line; None if it was too long.
    """
    given: dict[str, Any] = {}
    try:
        given = _read(line)
        return {"id": given["id"], **assessed(_text(given), title=None)}
    except EtterError as error:
        return {"id": given.get("id"), "error": error.message}


def assessed(text: str, *, title: str | None) -> dict[str, Any]:
    """Scores and tasks as REST gives them.

    Args:
        text: What describes the role.
        title: The role's name, if known.

    Raises:
        EtterError: No tasks can be found in it.
    """
    try:
        outputs = assess_text(text, title=title)
    except AssessmentFailed as error:
        raise ValidationFailed(FieldProblem("text", str(error))) from error
    return {
        "scores": {**outputs.scores.model_dump(), "final_score": outputs.final_score},
        "tasks": [task.model_dump(mode="json") for task in outputs.tasks],
    }


def _lines(source: BinaryIO) -> Iterator[bytes | None]:
    while line := source.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            if line.strip():
                yield line
            continue
        while (rest := source.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield None


def _read(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise _too_large("line", f"is over {MAX_LINE_BYTES} bytes; shorten its text")
    try:
        given = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode())
    except (ValueError, RecursionError):
        raise ValidationFailed(FieldProblem("line", "is not JSON in UTF-8")) from None
    if not isinstance(given, dict):
        raise ValidationFailed(FieldProblem("line", 'is no object; give {"id", "text"}'))
    # A number with a fraction, true or a list would not come back as the id that was meant.
    if isinstance(given.get("id"), bool) or not isinstance(given.get("id"), str | int):
        raise ValidationFailed(FieldProblem("id", "is missing, or neither a string nor a number"))
    return given


def _text(given: dict[str, Any]) -> str:
    text = given.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValidationFailed(FieldProblem("text", "is missing or blank; give the description"))
    if bad := _NO_TEXT.search(text):
        raise ValidationFailed(
            FieldProblem("text", f"holds the character U+{ord(bad[0]):04X}; remove it")
        )
    if len(text.encode()) > MAX_DOCUMENT_BYTES:
        raise _too_large("text", f"is over {MAX_DOCUMENT_BYTES} bytes; shorten it")
    return text


def _too_large(field: str, message: str) -> EtterError:
    return EtterError(
        ErrorCode.PAYLOAD_TOO_LARGE, f"{field}: {message}", fields=[FieldProblem(field, message)]
    )
