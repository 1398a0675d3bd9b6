"""The command line `etter`."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Runs `etter`; the commands are loaded only now."""
    from etter_dagster.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character is no reason to fail half way.
            stream.reconfigure(errors="backslashreplace")
    app()
