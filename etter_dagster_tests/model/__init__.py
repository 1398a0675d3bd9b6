"""Tests of the pure rules: properties where they can be said for all inputs, tables where not."""
