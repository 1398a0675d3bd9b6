"""The taxonomy and documents APIs against their stand-in, and every way in which they may fail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from etter_dagster.sources.companies import CompaniesFile
from etter_dagster.sources.documents_api import DocumentsApi
from etter_dagster.sources.http_api import HttpApi
from etter_dagster.sources.taxonomy_api import TaxonomyApi
from etter_dagster_tests.standin.state import Fault

# What goes wrong, what the error says of it, and the seconds it asks for.
FAILURES: Sequence[tuple[str, Fault, str, int]] = (
    ("slow", Fault(delay=30), "did not answer in time", 30),
    ("reset", Fault(reset=True), "cannot be reached", 30),
    ("half a page", Fault(half=True), "cannot be reached", 30),
    ("not JSON", Fault(garbage=b"<html>login</html>"), "is not JSON", 30),
    ("nothing", Fault(garbage=b""), "is not JSON", 30),
    ("a list", Fault(garbage=b"[]"), "is not a JSON object", 30),
    ("other JSON", Fault(garbage=b'{"status": "success", "items": []}'), "is not a list of", 30),
    ("error in 200", Fault(error="boom"), "answered with an error of its own", 30),
    ("401", Fault(status=401), "refuses the token (401); check", 300),
    ("403", Fault(status=403), "refuses the token (403); check", 300),
    ("404", Fault(status=404), "answered 404", 30),
    ("422", Fault(status=422), "answered 422", 30),
    ("429", Fault(status=429, headers={"Retry-After": "7"}), "answered 429", 7),
    ("429 for long", Fault(status=429, headers={"Retry-After": "999999"}), "answered 429", 3600),
    ("500", Fault(status=500), "answered 500", 30),
    ("503", Fault(status=503, headers={"Retry-After": "soon"}), "answered 503", 30),
    ("204", Fault(status=204), "answered 204", 30),
    (
        "redirect elsewhere",
        Fault(status=302, headers={"Location": "http://evil.example.com/api"}),
        "sends us to another host",
        30,
    ),
    (
        "redirect to a file",
        Fault(status=302, headers={"Location": "file:///etc/passwd"}),
        "no http(s) URL",
        30,
    ),
    ("redirects in a circle", Fault(status=307, headers={"Location": "?again"}), "redirects", 30),
)


def seconds_for(fault: Fault) -> float:
    """The bound of a request: short where the stand-in is slower than any bound."""
    return 0.3 if fault.delay else 30.0


def api(name: str, url: str, seconds: float = 30.0) -> HttpApi:
    return HttpApi(f"the {name} API", f"ETTER_{name.upper()}_API_BASE_URL", url, seconds=seconds)


def companies_file(folder: Path, *companies: dict[str, Any]) -> CompaniesFile:
    path = folder / "companies.json"
    path.write_text(json.dumps(companies))
    return CompaniesFile(path)


def taxonomy_api(
    url: str, companies: CompaniesFile, token: str | None = None, **changes: Any
) -> TaxonomyApi:
    seconds = changes.pop("seconds", 30.0)
    return TaxonomyApi(api("taxonomy", url, seconds), companies, token, **changes)


def documents_api(
    url: str, companies: CompaniesFile, token: str | None = None, *, seconds: float = 30.0
) -> DocumentsApi:
    return DocumentsApi(api("documents", url, seconds), companies, token)
