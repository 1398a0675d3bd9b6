"""A stand-in of the outside services for tests: `state` (what it knows and how it fails),
`app` (its routes), `server` (serving it on a free port).

The documents and taxonomy APIs get a router of their own beside `assessment_api`.
"""
