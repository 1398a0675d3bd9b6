"""Whether the configured sources answer, each by itself and with its own tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from etter_dagster.settings import Settings
from etter_dagster.sources.registry import document_factories, taxonomy_factories

_SETTINGS = {
    "taxonomy_api": "ETTER_TAXONOMY_API_BASE_URL",
    "documents_api": "ETTER_DOCUMENTS_API_BASE_URL",
    "s3": "ETTER_S3_BUCKET",
    "folder": "ETTER_DOCUMENTS_DIR",
}


@runtime_checkable
class Probed(Protocol):
    """A source that can be asked whether it answers; one of somebody else's need not."""

    def probe(self, most: int | None = None) -> None:
        """Asks for something small.

        Args:
            most: With the tokens of at most so many companies; all, if None.

        Raises:
            SourceUnavailable: It does not answer as it should.
        """


@dataclass(frozen=True)
class SourceProbe:
    """A configured source: its name, the setting that names it, and itself."""

    name: str
    setting: str
    source: Probed


def source_probes(settings: Settings) -> list[SourceProbe]:
    """The configured sources that can be asked; the samples are no question.

    Args:
        settings: Which are configured.
    """
    made = [*taxonomy_factories.named(settings), *document_factories.named(settings)]
    return [
        SourceProbe(name, _SETTINGS.get(name, name), source)
        for name, source in made
        if isinstance(source, Probed)
    ]
