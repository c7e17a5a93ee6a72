"""What people and machines can see of a running hookrt: its log and its metrics."""
