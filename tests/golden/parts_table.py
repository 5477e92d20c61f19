"""Summaries, correlations and histograms of random columns, by numpy.

Versions: numpy 2.4.6. Seed: 11.
Command: python tests/golden/parts_table.py
Writes tests/golden/parts_table.json: for columns a and b of several lengths the mean, standard deviation and quantiles
0.1, 0.5 and 0.9 of a, their correlation, and the counts of a, cut to -2 to 2, in 8 bins of equal width.
"""

import json
import pathlib

import numpy

SHARES = [0.1, 0.5, 0.9]


def case(rng, n):
    a = rng.normal(size=n)
    b = 0.6 * a + rng.normal(size=n)
    quantiles = [float(numpy.quantile(a, share)) for share in SHARES]
    inside = numpy.clip(a, -2.0, 2.0)
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "summary": [float(a.mean()), float(a.std()), *quantiles],
        "correlation": float(numpy.corrcoef(a, b)[0, 1]),
        "histogram": numpy.histogram(inside, bins=8, range=(-2.0, 2.0))[0].tolist(),
    }


def main():
    assert numpy.__version__ == "2.4.6", numpy.__version__
    rng = numpy.random.default_rng(11)
    cases = [case(rng, n) for n in (2, 3, 10, 101)]
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps({"numpy": numpy.__version__, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
