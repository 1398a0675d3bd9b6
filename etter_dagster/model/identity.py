"""Names and ids: how a company and a role name become the role's id, and the other ids' form.

Pure; randomness and hashes only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata

from etter_dagster.model.errors import FieldProblem

MAX_NAME = 200  # characters, after normalization
MAX_SLUG = 40
HEX = 12

_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_WORKFLOW_ID = re.compile(r"role-onboard-[0-9a-f]{12}")
_ROLE_ID = re.compile(r"cr-[a-z0-9-]+-[a-z0-9-]+-[0-9a-f]{12}")


def normalize_name(name: str) -> str:
    """NFC-normalizes and trims a name; case and inner white space count."""
    return unicodedata.normalize("NFC", name).strip()


def name_problem(field: str, name: str) -> FieldProblem | None:
    """Says what is wrong with a (normalized) company or role name, or None.

    Args:
        field: The field's name as the caller knows it.
        name: The name after `normalize_name`.
    """
    if not name:
        return FieldProblem(field, "is blank; give a name")
    if len(name) > MAX_NAME:
        return FieldProblem(field, f"has {len(name)} characters; at most {MAX_NAME} are allowed")
    for char in name:
        if unicodedata.category(char) in ("Cc", "Cs"):
            return FieldProblem(field, f"holds the control character U+{ord(char):04X}; remove it")
    return None


def slug(name: str) -> str:
    """NFKD to ASCII, lower case, runs of other characters one `-`, at most 40 characters."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NOT_SLUG.sub("-", ascii_name).strip("-")[:MAX_SLUG].strip("-") or "x"


def role_id(company_id: str, role_name: str) -> str:
    """The id of a role, `cr-<company slug>-<role slug>-<12 hex>`, also its partition key.

    The hex is of a SHA-256 over the length-prefixed pair of normalized names, so no two pairs
    share an id and the same pair always gets the same one.

    Args:
        company_id: The company's name.
        role_name: The role's name.
    """
    company, role = normalize_name(company_id), normalize_name(role_name)
    return f"cr-{slug(company)}-{slug(role)}-{_digest(company, role)}"


def _digest(*parts: str) -> str:
    """Hex over the length-prefixed parts: no part can pose as two."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:HEX]


def is_role_id(text: str) -> bool:
    """Whether a text has the form of a role id."""
    return _ROLE_ID.fullmatch(text) is not None


def is_workflow_id(text: str) -> bool:
    """Whether a text has the form of a workflow id."""
    return _WORKFLOW_ID.fullmatch(text) is not None


def new_workflow_id() -> str:
    """A fresh `role-onboard-<12 hex>`."""
    return f"role-onboard-{secrets.token_hex(HEX // 2)}"


def derived_workflow_id(*parts: str) -> str:
    """The workflow id that follows from its parts (API key id, idempotency key, index)."""
    return f"role-onboard-{_digest(*parts)}"


def new_batch_id() -> str:
    """A fresh `batch-<12 hex>`."""
    return f"batch-{secrets.token_hex(HEX // 2)}"


def derived_batch_id(*parts: str) -> str:
    """The batch id that follows from its parts."""
    return f"batch-{_digest(*parts)}"


def new_operation_id() -> str:
    """A fresh `operation-<12 hex>`."""
    return f"operation-{secrets.token_hex(HEX // 2)}"
