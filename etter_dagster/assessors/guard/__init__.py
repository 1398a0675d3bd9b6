"""The guard that every paid call passes, over all processes: ledger, limits, breaker, budgets."""
