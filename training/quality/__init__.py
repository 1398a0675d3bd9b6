"""The labelled documents that input quality is measured on, and the measurement."""
