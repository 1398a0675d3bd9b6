"""Data, script and report of the built-in assessor; not part of the package."""
