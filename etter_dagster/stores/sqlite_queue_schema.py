"""The tables of the embedded queue; each script brings a file one version further."""

from __future__ import annotations

from etter_dagster.stores.sqlite_push_rows import COLUMNS

MIGRATIONS = (
    f"""
CREATE TABLE pushes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  {COLUMNS},
  lane TEXT NOT NULL,
  tag INTEGER NOT NULL,
  assessor TEXT,
  completed_at INTEGER,
  seconds REAL,
  archived INTEGER NOT NULL DEFAULT 0,
  worker TEXT,
  token INTEGER,
  lease_until REAL,
  leases_lost INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX one_active_push_a_role ON pushes (role_id)
  WHERE status IN ('queued', 'processing');
CREATE INDEX waiting ON pushes (lane, tag, seq, company_id) WHERE status = 'queued';
CREATE INDEX leased ON pushes (lease_until, company_id) WHERE status = 'processing';
CREATE INDEX held ON pushes (worker) WHERE status = 'processing';
CREATE INDEX outbox ON pushes (completed_at) WHERE archived = 0 AND completed_at IS NOT NULL;
CREATE INDEX ended ON pushes (completed_at) WHERE archived = 1;
CREATE INDEX listed ON pushes (queued_at, workflow_id);
CREATE INDEX measured ON pushes (assessor, completed_at) WHERE seconds IS NOT NULL;

-- What was asked, apart from the push: it holds documents and is read once.
CREATE TABLE requests (
  workflow_id TEXT PRIMARY KEY REFERENCES pushes (workflow_id) ON DELETE CASCADE,
  body TEXT NOT NULL
) WITHOUT ROWID;

-- The counters of claim_order.
CREATE TABLE lanes (
  lane TEXT PRIMARY KEY,
  served INTEGER NOT NULL DEFAULT 0,
  claimed_tag INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO lanes (lane) VALUES ('interactive'), ('bulk'), ('background');
CREATE TABLE company_tags (
  lane TEXT NOT NULL,
  company_id TEXT NOT NULL,
  tag INTEGER NOT NULL,
  PRIMARY KEY (lane, company_id)
) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('token', 0), ('virtual_time', 0);

CREATE TABLE workers (
  worker TEXT PRIMARY KEY,
  free_places INTEGER NOT NULL,
  claiming INTEGER NOT NULL,
  seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE records (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE idempotency_keys (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  answer TEXT,
  lifetime REAL NOT NULL,
  expires_at REAL NOT NULL,
  PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE INDEX expiring ON idempotency_keys (expires_at);
""",
)
