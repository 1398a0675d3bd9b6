"""The command line `etter`."""

from __future__ import annotations

import io
import sys

_INTERRUPTED = 130  # as shells have it


def main() -> None:
    """Runs `etter`; the commands are loaded only now."""
    try:
        from etter_dagster.cli.app import app
    except KeyboardInterrupt:  # loading takes long enough for somebody to think better of it
        sys.exit(_INTERRUPTED)

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character is no reason to fail half way.
            stream.reconfigure(errors="backslashreplace")
    app()
