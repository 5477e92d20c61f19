"""Golden strengths, expected scores and soft-label losses for the arithmetic of AI feedback.

Versions: choix 0.4.1, scipy 1.17.1, numpy 2.4.6 (in a venv of its own). Seed: 7, for the random matrices.
Command: python tests/golden/feedback.py
Writes tests/golden/feedback.json. Strengths are choix's iterative Luce spectral ranking, another algorithm than
minorisation-maximisation with the same maximum. A prior is played by an item of its own, the anchor, that has drawn
against everybody; strengths are shifted so that their mean over the real items is 0.
"""

import json
import pathlib
from importlib.metadata import version

import choix
import numpy as np
from scipy.special import log_expit, log_softmax

OUT = pathlib.Path(__file__).with_suffix(".json")
PINNED = {"choix": "0.4.1", "scipy": "1.17.1", "numpy": "2.4.6"}


def strengths(wins, prior):
    wins = np.array(wins, dtype=float)
    np.fill_diagonal(wins, 0.0)
    n = len(wins)
    if prior > 0:
        wins = np.pad(wins, (0, 1))
        wins[n, :n] = wins[:n, n] = prior
    params = choix.ilsr_pairwise_dense(wins, alpha=0.0, max_iter=100_000, tol=1e-13)[:n]
    return [float(x) for x in params - params.mean()]


def strength_cases():
    rng = np.random.default_rng(7)
    cases = [([[0.5, 0.7, 0.9], [0.3, 0.5, 0.6], [0.1, 0.4, 0.5]], 0.0)]
    for n, prior in [(2, 0.0), (4, 0.0), (6, 0.0), (4, 0.5), (8, 0.1)]:
        p = rng.uniform(0.02, 0.98, (n, n))
        cases.append((np.where(np.tri(n, k=-1) > 0, 1 - p.T, p), prior))
    # Counts of unequal numbers of comparisons, some pairs never compared; and a sample that always wins.
    cases.append(([[0, 3, 0, 1], [1, 0, 2, 0], [0, 2, 0, 4.5], [2, 0, 0.5, 0]], 0.0))
    cases.append(([[0, 1, 1, 1], [0, 0, 1, 0.5], [0, 0, 0, 0.5], [0, 0.5, 0.5, 0]], 0.1))
    return [
        dict(wins=[[0.0 if i == j else float(x) for j, x in enumerate(row)] for i, row in enumerate(wins)],
             prior=prior, strengths=strengths(wins, prior))
        for wins, prior in cases
    ]


def expected_cases():
    rows = [
        np.log([0.05, 0.1, 0.2, 0.4, 0.25]).tolist(),
        [-0.2, -1.6],
        [-50.0, -3.0, -700.0],
        [-1000.0, -1001.0, -1002.0, -1003.0],
    ]
    return [dict(logprobs=row, expected=float(np.exp(log_softmax(row)) @ np.arange(1, len(row) + 1))) for row in rows]


def soft_label_cases():
    cases = [(0.712322, 1.2, 0.2), (0.5, 0.3, 0.3), (1.0, 50.0, -50.0), (0.0, 50.0, -50.0), (0.9, -1.0, 2.0)]
    loss = lambda p, a, b: float(-p * log_expit(a - b) - (1 - p) * log_expit(b - a))
    return [dict(p=p, a=a, b=b, loss=loss(p, a, b)) for p, a, b in cases]


def main():
    found = {name: version(name) for name in PINNED}
    assert found == PINNED, found
    golden = dict(versions=PINNED, strengths=strength_cases(), expected=expected_cases(), soft_label=soft_label_cases())
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
