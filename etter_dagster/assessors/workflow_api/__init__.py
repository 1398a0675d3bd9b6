"""Assessments by the outside assessment service ("workflow API"); docs/assessors.md says how."""
