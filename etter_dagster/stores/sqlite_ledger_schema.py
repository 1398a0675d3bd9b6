"""The tables of the embedded ledger; each script brings a file one version further."""

from __future__ import annotations

MIGRATIONS = (
    """
-- Times are microseconds since 1970, money is millionths.
CREATE TABLE attempts (
  attempt_id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  part TEXT NOT NULL,
  subject TEXT NOT NULL,
  assessor TEXT NOT NULL,
  role_id TEXT NOT NULL,
  company_id TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  number INTEGER NOT NULL,
  text_hash TEXT NOT NULL,
  notes TEXT NOT NULL,
  outcome TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  ended_at INTEGER,
  cost INTEGER NOT NULL,
  reference TEXT,
  error TEXT
);
CREATE INDEX of_call ON attempts (key, part, attempt_id);
CREATE INDEX of_role ON attempts (role_id, assessor, attempt_id);
CREATE INDEX begun ON attempts (assessor, began_at);
CREATE INDEX counted ON attempts (outcome, cost);
CREATE INDEX open ON attempts (assessor, holder) WHERE outcome = 'open';
CREATE INDEX open_subject ON attempts (subject) WHERE outcome = 'open';

-- Apart from the attempts: they are long and read once.
CREATE TABLE answers (
  attempt_id INTEGER PRIMARY KEY REFERENCES attempts (attempt_id),
  body TEXT NOT NULL
);

CREATE TABLE spending (
  period TEXT NOT NULL,
  company_id TEXT NOT NULL,
  money INTEGER NOT NULL,
  PRIMARY KEY (period, company_id)
) WITHOUT ROWID;

CREATE TABLE holders (holder TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE taken (subject TEXT PRIMARY KEY, holder TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE breakers (assessor TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
""",
)
