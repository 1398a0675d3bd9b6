"""A company taken out of the embedded stores, each in one transaction."""

from __future__ import annotations

import sqlite3

from etter_dagster.model.errors import CompanyAtWork
from etter_dagster.stores.sqlite_graph_schema import no_delete

_APPEND_ONLY = ("assessments", "history")
_OF_ROLES = ("documents", "assessments", "skills")


def delete_from_graph(connection: sqlite3.Connection, company_id: str) -> int:
    """Deletes roles, what hangs on them, and history; gives the number of roles.

    Assessments and history are append-only by triggers, for every connection. They are put aside
    for this transaction alone: whoever else writes waits for its end, and finds them again.
    """
    theirs = "SELECT role_id FROM roles WHERE company_id = ?"
    for table in _APPEND_ONLY:
        connection.execute(f"DROP TRIGGER {table}_no_delete")
    for table in _OF_ROLES:
        connection.execute(f"DELETE FROM {table} WHERE role_id IN ({theirs})", (company_id,))
    connection.execute("DELETE FROM history WHERE company_id = ?", (company_id,))
    roles = connection.execute("DELETE FROM roles WHERE company_id = ?", (company_id,)).rowcount
    for table in _APPEND_ONLY:
        connection.execute(no_delete(table))
    return roles


def delete_from_queue(connection: sqlite3.Connection, company_id: str) -> int:
    """Deletes pushes, batches and the company's place in the order; gives the number of pushes."""
    (held,) = connection.execute(
        "SELECT count(*) FROM pushes WHERE status = 'processing' AND company_id = ?", (company_id,)
    ).fetchone()
    if held:
        raise CompanyAtWork(company_id, held)
    pushes = connection.execute("DELETE FROM pushes WHERE company_id = ?", (company_id,)).rowcount
    connection.execute("DELETE FROM company_tags WHERE company_id = ?", (company_id,))
    connection.execute(
        "DELETE FROM records WHERE kind = 'batch' AND json_extract(body, '$.company_id') = ?",
        (company_id,),
    )
    return pushes
