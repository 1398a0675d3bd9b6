"""What deploys Etter, read for the tests."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("migrate", "rest", "webserver", "daemon", "worker")
MANIFESTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "etter.yaml").read_text())
)


CONFIG = ROOT / "deploy" / "config"


def example_settings() -> dict[str, str]:
    """What the example of `etter.env` shows, as if somebody had taken every # off."""
    lines = (CONFIG / "etter.env.example").read_text().splitlines()
    return dict(line[1:].split("=", 1) for line in lines if line.startswith("#ETTER_"))


def procfile() -> dict[str, str]:
    """Command of each process."""
    lines = (ROOT / "deploy" / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line)


def manifest_commands() -> dict[str, list[str]]:
    """Command of each container of the manifests."""
    found = {}
    for manifest in MANIFESTS:
        if manifest["kind"] in ("Deployment", "Job"):
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            found[container["name"]] = container["command"]
    return found


def essence(command: str | list[str]) -> list[str]:
    """A command without what differs between places: addresses, ports, folders, counts."""
    words = shlex.split(command) if isinstance(command, str) else command
    kept = []
    for word in words:
        if word.startswith(("--proxy-headers", "--forwarded-allow-ips")):
            continue
        word = re.sub(r"^(\$\{.*?\}|/var/lib/etter/dagster)(?=/)", "HOME", word)
        kept.append(re.sub(r"^(\$\{.*\}|[\d.]+)$", "VALUE", word))
    if "--workers" in kept:  # one process a container where the platform makes the copies
        at = kept.index("--workers")
        del kept[at : at + 2]
    return kept
