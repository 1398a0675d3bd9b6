from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from etter_dagster.api import create_app, router
from etter_dagster.api.app import PREFIX
from etter_dagster.api.openapi import openapi_text
from etter_dagster.model.errors import ErrorCode

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
ROUTES = {
    "POST /push",
    "GET /status/{workflow_id}",
    "GET /status/{workflow_id}/events",
    "GET /health",
    "GET /companies",
    "GET /roles/{company_name}",
    "PUT /roles/{company_name}/{role_name}",
    "POST /roles/{company_name}/{role_name}/documents",
    "POST /push-batch",
    "GET /batch-status/{batch_id}",
    "POST /retry-failed/{batch_id}",
    "POST /retry/{workflow_id}",
    "POST /cancel/{workflow_id}",
    "GET /history/{company_id}",
    "GET /assessments/{role_id}",
    "GET /assessments/{role_id}/compare",
    "GET /documents/{role_id}",
    "GET /audit",
    "GET /pushes",
    "POST /pushes/retry",
    "POST /pushes/cancel",
    "GET /operations/{operation_id}",
    "POST /operations/{operation_id}/abort",
}


def document() -> dict[str, Any]:
    found: dict[str, Any] = create_app().openapi()
    return found


def test_the_document_is_the_one_made_from_the_code() -> None:
    """Made anew with `python -m etter_dagster.api.openapi`; users generate clients from it."""
    assert DOCUMENT.read_text(encoding="utf-8") == openapi_text()


def test_every_route_is_documented_under_its_prefix() -> None:
    """A path parameter that takes `/` is shown as a plain one: clients encode it."""
    found = {
        f"{method.upper()} {path.removeprefix(PREFIX)}"
        for path, methods in document()["paths"].items()
        for method in methods
    }
    assert found == ROUTES | {"GET /metrics", "POST /graphql"}
    assert "/metrics" in document()["paths"]


def test_every_error_of_every_route_has_the_one_body() -> None:
    """Clients read `detail.error`, whatever the status is; FastAPI's own 422 body is nowhere."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if int(status) < 400 or path.endswith("/health"):
                    continue
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}, (method, path, status)
    assert "HTTPValidationError" not in document()["components"]["schemas"]
    codes = document()["components"]["schemas"]["ErrorCode"]["enum"]
    assert set(codes) == {code.value for code in ErrorCode}


def test_every_post_documents_the_idempotency_key() -> None:
    """It is part of every POST's contract."""
    for path, methods in document()["paths"].items():
        names = {p["name"] for p in methods.get("post", {}).get("parameters", [])}
        assert ("Idempotency-Key" in names) == ("post" in methods), path


def test_ids_of_operations_are_unique() -> None:
    """Generated clients name their functions after them."""
    ids = [op["operationId"] for methods in document()["paths"].values() for op in methods.values()]
    assert len(ids) == len(set(ids))


async def test_the_service_serves_its_document() -> None:
    """Where tools look for it."""
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        assert (await http.get("/openapi.json")).json() == document()


def test_another_app_documents_the_routes_under_its_own_prefix() -> None:
    """The router is made to be mounted."""
    host = FastAPI()
    host.include_router(router, prefix="/elsewhere")
    assert "/elsewhere/push" in host.openapi()["paths"]
