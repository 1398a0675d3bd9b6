"""Dagster's side: the run, the sensor, the jobs, against real instances."""
