"""Roles out of a folder in which each file is one role."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem
from etter_dagster.model.identity import name_problem, normalize_name
from etter_dagster.sources.bulk_rows import BulkRow, row_error
from etter_dagster.sources.text import check_file_size, document_text

FILE = "file"
# What Windows and Word leave in a folder beside its documents.
_LEFT_BEHIND = frozenset({"thumbs.db", "desktop.ini"})
_LOCK = "~$"
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_EMPHASIS = re.compile(r"(?<!\w)(\*\*|__|\*|_|`)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def read_folder(folder: Path, *, company: str, draup_role: str | None = None) -> list[BulkRow]:
    """Reads a folder in which each file is one role.

    Role name and Draup role are the file's first heading, else its name. Hidden files, what
    Windows and Word leave behind, and folders in it are left out.

    Args:
        folder: The folder.
        company: The company of all its roles.
        draup_role: Overrides the Draup role.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file() and _is_meant(path.name))
    return [
        _folder_row(index, path, normalize_name(company), draup_role)
        for index, path in enumerate(paths)
    ]


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in a folder: none of their files is read with it.

    Args:
        folder: The folder.
    """
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and _is_meant(path.name))


def _is_meant(name: str) -> bool:
    return not name.startswith((".", _LOCK)) and name.lower() not in _LEFT_BEHIND


def first_heading(text: str) -> str | None:
    """The first Markdown heading, without its marks.

    Args:
        text: Markdown.
    """
    previous, fenced = "", False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (match := _HEADING.match(line)):
            return _plain(match[1])
        elif not fenced and previous.strip() and _UNDERLINE.match(line):
            return _plain(previous)
        previous = line
    return None


def _plain(heading: str) -> str:
    text = _LINK.sub(r"\1", heading)
    while (inner := _EMPHASIS.sub(r"\2", text)) != text:
        text = inner
    return normalize_name(text)


def _folder_row(index: int, path: Path, company: str, draup_role: str | None) -> BulkRow:
    def row(role_name: str, text: str | None, problem: EtterError | None) -> BulkRow:
        return BulkRow(
            index=index,
            row=path.name,
            company=company,
            role_name=role_name,
            draup_role_name=normalize_name(draup_role or "") or role_name,
            content=text,
            problem=problem,
        )

    file_name = normalize_name(path.stem)
    text, problem = _attempt(lambda: _file_text(path), path.name)
    if text is None:
        return row(file_name, None, problem)
    name = first_heading(text) or file_name
    problems = [p for p in (name_problem("company", company), name_problem("role", name)) if p]
    if not text.strip():
        problems.append(FieldProblem(FILE, "is empty; write the job description into it"))
    return row(name, text, row_error(path.name, ErrorCode.VALIDATION_ERROR, problems))


def _attempt(read: Callable[[], str], name: str) -> tuple[str | None, EtterError | None]:
    try:
        return read(), None
    except EtterError as error:
        return None, error
    except OSError as error:
        message = f"cannot be read ({error.strerror}); check its permissions"
        return None, row_error(name, ErrorCode.VALIDATION_ERROR, [FieldProblem(FILE, message)])


def _file_text(path: Path) -> str:
    check_file_size(path.stat().st_size, path.name, field=FILE)
    return document_text(path.read_bytes(), path.name, field=FILE)
