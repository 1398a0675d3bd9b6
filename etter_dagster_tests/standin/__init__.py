"""A stand-in of the outside services for tests: `state` (what it knows and how it fails),
`app` (its routes), `server` (serving it on a free port).

The documents and taxonomy APIs are an app of their own: `catalogue` (what they hold) and
`platform_api`.
"""
