"""The command line `etter`."""

from __future__ import annotations


def main() -> None:
    """Runs `etter`; the commands are loaded only now."""
    from etter_dagster.cli.app import app

    app()
