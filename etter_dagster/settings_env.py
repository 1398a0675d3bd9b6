"""Where settings come from: the environment, then `.env`; `..._FILE` for secrets; unknown names.

The names and bounds themselves stand in `settings.py`.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource

PREFIX = "ETTER_"
FILE_SUFFIX = "_file"
logger = logging.getLogger("etter_dagster.settings")
# The caller's own key: for `etter` and `EtterClient`, no setting of a service.
_CALLERS = ("api_key", "api_key_file")


class EnvironmentSource(PydanticBaseSettingsSource):
    """The variables with our prefix, from the environment and, below it, `.env`.

    One source for both, so that a `..._FILE` of the environment beats a plain value of `.env`,
    an empty value counts as unset everywhere, and each unknown name is warned about once.

    Args:
        settings_cls: The settings model.
        secrets: Names of fields that may also be given as a file.
        dotenv: The stock source, for the file's place and encoding.
    """

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        secrets: Iterable[str],
        dotenv: PydanticBaseSettingsSource,
    ) -> None:
        super().__init__(settings_cls)
        self._known = set(settings_cls.model_fields) | {s + FILE_SUFFIX for s in secrets}
        self._dotenv = dotenv

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Unused: all values are read in one go."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values that are set, by field name."""
        values: dict[str, Any] = {}
        unknown: set[str] = set()
        for layer in (_dotenv_layer(self._dotenv), os.environ):
            found, strange = _ours(layer, self._known)
            # A layer that gives a secret in either form replaces both forms of the layer below.
            for name in found:
                values.pop(name.removesuffix(FILE_SUFFIX), None)
                values.pop(name + FILE_SUFFIX, None)
            values |= found
            unknown |= strange
        # What `Settings(...)` was given wins in either form, too.
        for name in self.current_state:
            values.pop(name.removesuffix(FILE_SUFFIX), None)
            values.pop(name + FILE_SUFFIX, None)
        for name in sorted(unknown):
            logger.warning("%s", unknown_variable(name, self._known))
        return values


def _dotenv_layer(source: PydanticBaseSettingsSource) -> Mapping[str, str | None]:
    if not isinstance(source, DotEnvSettingsSource) or not isinstance(source.env_file, str | Path):
        return {}
    path = Path(source.env_file).expanduser()
    return dotenv_values(path, encoding=source.env_file_encoding or "utf-8")


def _ours(layer: Mapping[str, str | None], known: set[str]) -> tuple[dict[str, str], set[str]]:
    found: dict[str, str] = {}
    unknown: set[str] = set()
    # Dagster's own variable has no prefix; ours, where set, goes before it.
    if "dagster_home" in known and layer.get("DAGSTER_HOME"):
        found["dagster_home"] = str(layer["DAGSTER_HOME"])
    for variable, value in layer.items():
        if not variable.upper().startswith(PREFIX) or not value or not value.strip():
            continue
        name = variable[len(PREFIX) :].lower()
        if name in known:
            found[name] = value.strip()
        elif name not in _CALLERS:
            unknown.add(variable)
    return found, unknown


def unknown_variable(variable: str, known: Iterable[str]) -> str:
    """The warning for a variable that nobody reads; never its value.

    Args:
        variable: As it is set.
        known: Legal names, lower case and without prefix.
    """
    name = variable.upper()
    if name.startswith(f"{PREFIX}TEMPORAL_"):
        return f"{variable} has no effect: Dagster orchestrates here, not Temporal; remove it"
    nearest = nearest_name(name.removeprefix(PREFIX), known)
    hint = f"did you mean {PREFIX}{nearest.upper()}?" if nearest else "remove it"
    return f"{variable} is not a setting and has no effect; {hint}"


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelt most like `name`."""
    matches = difflib.get_close_matches(name.lower(), sorted(known), n=1, cutoff=0.5)
    return matches[0] if matches else None


def with_secrets_read(values: dict[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """Replaces each `<secret>_file` by the secret that the file holds.

    Raises:
        ValueError: A file cannot be read, or both forms are given.
    """
    values = dict(values)
    for secret in secrets:
        path = values.pop(secret + FILE_SUFFIX, None)
        if path is None:
            continue
        variable = f"{PREFIX}{secret.upper()}"
        if values.get(secret) is not None:
            raise ValueError(f"{variable} and {variable}_FILE are both set; keep one")
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ValueError(f"{variable}_FILE: {path} cannot be read: {reason}") from None
        if text:
            values[secret] = text
    return values
