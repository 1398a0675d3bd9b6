"""Job descriptions with their tasks marked, and how well the reader finds them."""
