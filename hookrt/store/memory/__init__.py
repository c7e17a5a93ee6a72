"""The store in memory: the same promises but the first, for tests and simulations."""
