"""The tables of the embedded graph; each script brings a file one version further."""

from __future__ import annotations

from etter_dagster.stores.sqlite_push_rows import COLUMNS


def no_delete(table: str) -> str:
    """The statement that forbids deleting of a table."""
    return _forbidden("DELETE", table)


def _append_only(table: str) -> str:
    return f"{_forbidden('UPDATE', table)};\n{no_delete(table)};"


def _forbidden(verb: str, table: str) -> str:
    return f"""
CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN
  SELECT raise(ABORT, '{table} is append-only');
END"""


MIGRATIONS = (
    f"""
CREATE TABLE roles (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  role_id TEXT NOT NULL UNIQUE,
  company_id TEXT NOT NULL,
  role_name TEXT NOT NULL,
  state TEXT NOT NULL,
  fence INTEGER NOT NULL DEFAULT 0,
  body TEXT NOT NULL,
  UNIQUE (company_id, role_name)
);
CREATE INDEX roles_of_company ON roles (company_id, role_name, role_id);
CREATE INDEX roles_by_name ON roles (role_name, role_id);

CREATE TABLE documents (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  role_id TEXT NOT NULL REFERENCES roles (role_id),
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  linked INTEGER NOT NULL DEFAULT 1,
  body TEXT NOT NULL
);
CREATE INDEX documents_of_role ON documents (role_id, linked);

CREATE TABLE assessments (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  assessment_id TEXT NOT NULL UNIQUE,
  role_id TEXT NOT NULL REFERENCES roles (role_id),
  inputs_hash TEXT NOT NULL,
  assessor_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX assessments_of_role ON assessments (role_id, inputs_hash, assessor_key, created_at);
{_append_only("assessments")}

CREATE TABLE skills (role_id TEXT PRIMARY KEY REFERENCES roles (role_id), body TEXT NOT NULL);

CREATE TABLE history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  {COLUMNS}
);
CREATE INDEX history_by_time ON history (queued_at, workflow_id);
CREATE INDEX history_of_company ON history (company_id, queued_at, workflow_id);
CREATE INDEX history_of_role ON history (role_id, queued_at, workflow_id);
CREATE INDEX history_of_batch ON history (batch_id) WHERE batch_id IS NOT NULL;
{_append_only("history")}

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  company_id TEXT,
  body TEXT NOT NULL
);
CREATE INDEX audit_of_company ON audit (company_id, seq);
{_append_only("audit")}
""",
    "CREATE INDEX roles_of_state ON roles (state, sequence);",
    # What counting by state takes, so that it reads an index and no body.
    """
ALTER TABLE roles ADD COLUMN inputs_hold INTEGER NOT NULL DEFAULT 1;
ALTER TABLE roles ADD COLUMN assessor_key TEXT;
ALTER TABLE roles ADD COLUMN assessed_at INTEGER;
UPDATE roles SET
  inputs_hold =
    json_extract(body, '$.current.basis.inputs.jd_hash') = json_extract(body, '$.jd_hash')
    AND json_extract(body, '$.current.basis.inputs.documents_hash')
      = json_extract(body, '$.documents_hash')
    AND json_extract(body, '$.current.basis.inputs.draup_role') = coalesce(
      nullif(json_extract(body, '$.draup_role_name'), ''),
      json_extract(body, '$.draup_role_id'), ''),
  assessor_key = (json_extract(body, '$.current.basis.assessor.name')) || '/'
    || (json_extract(body, '$.current.basis.assessor.model')) || '/'
    || (json_extract(body, '$.current.basis.assessor.version')),
  assessed_at = strftime('%s', json_extract(body, '$.current.basis.made_at')) * 1000000
WHERE json_extract(body, '$.current') IS NOT NULL;
CREATE INDEX roles_counted
  ON roles (company_id, state, inputs_hold, assessor_key, assessed_at, role_id);
""",
    # What searching takes; in the index of a company's list, so that only what is found is read.
    """
ALTER TABLE roles ADD COLUMN folded TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN draup_folded TEXT NOT NULL DEFAULT '';
UPDATE roles SET folded = folded(role_name), draup_folded = folded(coalesce(
  nullif(json_extract(body, '$.draup_role_name'), ''), json_extract(body, '$.draup_role_id'), ''));
DROP INDEX roles_of_company;
CREATE INDEX roles_of_company
  ON roles (company_id, role_name, role_id, folded, draup_folded);
CREATE INDEX roles_by_folded_name ON roles (company_id, folded, role_name);
""",
)
