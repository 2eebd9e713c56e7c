"""The benchmarks run: in their quick form here, whole by ``python -m tests.benchmarks``."""

from __future__ import annotations

from .benchmarks import scale


def test_the_benchmark_of_long_films_measures_every_row_that_has_a_bound() -> None:
    rows = scale.measure(quick=True)
    assert [2, 2] == [
        sum(what.startswith("nothing to do") and lane in what for what, *_ in rows) for lane in scale.LANES
    ]
    assert all(measured > 0 and most > 0 for _, measured, most, _ in rows)
