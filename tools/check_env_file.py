"""Compares what Compose made of an env file with the file: every service of ours has every setting.

python tools/check_env_file.py RENDERED.yml EXAMPLE
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

OURS = ("migrate", "rest", "webserver", "daemon", "worker")


def main(rendered: str, example: str) -> int:
    """Says what differs; gives the exit code."""
    lines = Path(example).read_text().splitlines()
    wanted = dict(line[1:].split("=", 1) for line in lines if line.startswith("#ETTER_"))
    services = yaml.safe_load(Path(rendered).read_text())["services"]
    wrong = [
        f"{service}: {name} is {given.get(name)!r}, the file says {value!r}"
        for service in OURS
        for given in [services[service]["environment"]]
        for name, value in wanted.items()
        if str(given.get(name)) != value
    ]
    said = "\n".join(wrong) or f"{example} reaches every service ({len(wanted)} settings)"
    sys.stdout.write(f"{said}\n")
    return 1 if wrong or not wanted else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
