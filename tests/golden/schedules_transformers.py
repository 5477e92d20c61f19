"""Golden learning-rate multipliers of every step-driven schedule of transformers.

Versions: transformers 5.23.0, torch 2.15.0. Seed: none, nothing is random.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/schedules_transformers.py
Writes tests/golden/schedules_transformers.json: for each case the name, the arguments and the multipliers at STEPS.
"""

import json
import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
from transformers.optimization import get_scheduler

LEARNING_RATE = 2e-5
WARMUP_STEPS, TOTAL_STEPS = 10, 110
STEPS = [0, 1, 5, 9, 10, 11, 35, 40, 60, 75, 109, 110, 111, 150]
OUT = pathlib.Path(__file__).with_suffix(".json")

# (name, arguments of the schedule); every case is run with and without warm-up.
CASES = [
    ("constant", {}),
    ("constant_with_warmup", {}),
    ("linear", {}),
    ("cosine", {}),
    ("cosine", {"num_cycles": 1.5}),
    ("cosine_with_restarts", {}),
    ("cosine_with_restarts", {"num_cycles": 3}),
    ("polynomial", {"lr_end": 1e-7}),
    ("polynomial", {"lr_end": 4e-6, "power": 2.0}),
    ("inverse_sqrt", {}),
    ("inverse_sqrt", {"timescale": 40}),
    ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1}),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2}),
    ("warmup_stable_decay", {"num_decay_steps": 40}),
    ("warmup_stable_decay", {"num_decay_steps": 40, "min_lr_ratio": 0.1, "decay_type": "linear"}),
    ("warmup_stable_decay", {"num_decay_steps": 40, "warmup_type": "cosine", "decay_type": "1-sqrt"}),
    ("warmup_stable_decay", {"num_decay_steps": 40, "warmup_type": "1-sqrt", "min_lr_ratio": 0.2}),
]


def multipliers(name, arguments, warmup_steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LEARNING_RATE)
    schedule = get_scheduler(name, optimizer, warmup_steps, TOTAL_STEPS, dict(arguments))
    (multiplier,) = schedule.lr_lambdas
    return [float(multiplier(step)) for step in STEPS]


def main():
    assert transformers.__version__ == "5.23.0", transformers.__version__
    cases = [
        dict(name=name, arguments=arguments, warmup_steps=warmup, multipliers=multipliers(name, arguments, warmup))
        for name, arguments in CASES
        for warmup in [WARMUP_STEPS, 0]
    ]
    golden = dict(
        versions=dict(transformers=transformers.__version__, torch=torch.__version__),
        learning_rate=LEARNING_RATE,
        total_steps=TOTAL_STEPS,
        steps=STEPS,
        cases=cases,
    )
    OUT.write_text(json.dumps(golden, allow_nan=False).replace('}, {"name"', '},\n{"name"') + "\n")


if __name__ == "__main__":
    main()
