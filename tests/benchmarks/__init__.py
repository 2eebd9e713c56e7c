"""Speed, as ratios of things timed in one run. ``python -m tests.benchmarks`` prints the table."""
