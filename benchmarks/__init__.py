"""Side-by-side measurements; never timed tests. `python -m benchmarks` runs them all."""
