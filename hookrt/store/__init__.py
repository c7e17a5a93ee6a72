"""What survives a crash: the contract of a store, and the stores that keep it."""
