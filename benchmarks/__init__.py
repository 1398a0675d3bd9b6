"""What the performance claims of the docs rest on; each prints a table."""
