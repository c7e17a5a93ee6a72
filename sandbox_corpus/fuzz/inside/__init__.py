"""What runs inside the fuzzers' worker processes: a nursery that forks them, and an executor that watches its runs."""
