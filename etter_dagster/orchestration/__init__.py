"""Dagster's side of Etter, and the only place that knows Dagster."""
