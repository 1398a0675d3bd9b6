"""The doctor's look at settings and files. Contacts nothing, leaves nothing behind."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from etter_dagster.cli.data_folder import REMEDY, existing_part, folder_problem
from etter_dagster.cli.doctor_checks import Check
from etter_dagster.cli.output import counted
from etter_dagster.settings import Settings, setting_problems


def check_settings() -> tuple[Settings | None, list[Check]]:
    """The settings, None if they cannot be used, and what is to be said of them."""
    with _warnings() as warnings:
        try:
            settings = Settings()
        except ValidationError as error:
            return None, [
                Check("settings", "problem", problem, "correct it in the environment or .env")
                for problem in setting_problems(error)
            ]
    checks = [Check("settings", "warning", text, "see `found`") for text in warnings]
    checks += [
        Check("settings", "problem", "the service would not start", reason)
        for reason in settings.refuse_to_start()
    ]
    if not checks:
        checks.append(Check("settings", "ok", f"{settings.environment}, nothing unknown"))
    return settings, [*checks, _data_dir(settings.data_dir), *_files(settings)]


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What reading the settings warns about."""
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, handler = logging.getLogger("etter_dagster.settings"), Keep(logging.WARNING)
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def _data_dir(folder: Path) -> Check:
    if problem := folder_problem(folder):
        return Check("data folder", "problem", problem, REMEDY)
    there = existing_part(folder) == folder
    return Check(
        "data folder", "ok", f"{folder}" if there else f"{folder}, made at the first start"
    )


def _files(settings: Settings) -> Iterator[Check]:
    for name, path in (
        ("API_KEYS_FILE", settings.api_keys_file),
        ("COMPANIES_FILE", settings.companies_file),
    ):
        if path is not None:
            yield _json_list(f"ETTER_{name}", path)
    if (folder := settings.documents_dir) is not None:
        fine = folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
        remedy = "" if fine else "make the folder, or correct ETTER_DOCUMENTS_DIR"
        yield Check("ETTER_DOCUMENTS_DIR", "ok" if fine else "problem", str(folder), remedy)


def _json_list(name: str, path: Path) -> Check:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return Check(name, "problem", f"{path}: {error.strerror}", f"make it, or correct {name}")
    except ValueError:
        return Check(name, "problem", f"{path} is not JSON", "write a JSON list into it")
    if not isinstance(found, list):
        return Check(name, "problem", f"{path} is no list", "write a JSON list into it")
    return Check(name, "ok", f"{path}, {counted(len(found), 'entry', 'entries')}")
