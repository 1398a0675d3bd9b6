"""What a check of `etter doctor` found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "off", "warning", "problem", "unreachable"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `remedy` says what to do unless all is well."""

    name: str
    state: State
    found: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)
