"""Etter onboards job roles on Dagster: push a role, get its AI assessment."""

__version__ = "0.1.0"
