"""Where assessments come from: the built-in model, later the workflow API and LLMs."""
