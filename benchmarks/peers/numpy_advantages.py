"""Advantages in numpy: GAE over 128 x 1024 steps with done flags in both layouts, and groups of 8 of 2^20 rewards.

python benchmarks/peers/numpy_advantages.py
The same work as `cargo bench -p stateset-algo --bench advantages`. Both layouts walk the steps from the last to the
first with one vector of all environments, which is how numpy does it best (Stable-Baselines3's buffer does the same).
"""

import argparse
import json
import platform
import statistics
import time

import numpy as np

N_ENVS, N_STEPS, N_REWARDS, GROUP_SIZE = 128, 1024, 1 << 20, 8
GAMMA, LAMBDA, EPSILON = 0.99, 0.95, 1e-4


def gae(rewards, values, dones, last_values, out):
    """Advantages of `[step, environment]` views into `out`; rows first comes in as a transposed view."""
    live = (~dones).astype(rewards.dtype)
    next_values, after = last_values, np.zeros_like(last_values)
    for step in range(len(rewards) - 1, -1, -1):
        delta = rewards[step] + GAMMA * next_values * live[step] - values[step]
        after = delta + GAMMA * LAMBDA * live[step] * after
        out[step], next_values = after, values[step]


def groups(rewards, out):
    rows = rewards.reshape(-1, GROUP_SIZE)
    centred = rows - rows.mean(axis=1, keepdims=True)
    std = np.sqrt((centred * centred).sum(axis=1, keepdims=True) / (GROUP_SIZE - 1))
    np.divide(centred, std + EPSILON, out=out.reshape(-1, GROUP_SIZE))


def works(dtype):
    """Name and action of each measured work."""
    random = np.random.default_rng(0)
    kind = {"float32": "f32", "float64": "f64"}[np.dtype(dtype).name]
    shape = (N_STEPS, N_ENVS)
    rewards, values = (random.uniform(-1, 1, shape).astype(dtype) for _ in range(2))
    dones = random.uniform(-1, 1, shape) > 0.98
    last_values = random.uniform(-1, 1, N_ENVS).astype(dtype)
    flat = random.uniform(-1, 1, N_REWARDS).astype(dtype)
    steps = [rewards, values, dones]
    rows = [np.ascontiguousarray(array.T) for array in steps]
    out, turned, flat_out = np.empty_like(rewards), np.empty_like(rows[0]), np.empty_like(flat)
    return {
        f"gae 128 x 1024 {kind}/steps first": lambda: gae(*steps, last_values, out),
        f"gae 128 x 1024 {kind}/rows first": lambda: gae(*[array.T for array in rows], last_values, turned.T),
        f"groups of 8, 2^20 rewards {kind}/kernel": lambda: groups(flat, flat_out),
    }


def seconds_each(action, repeats, warmups):
    times = []
    for _ in range(warmups + repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return times[warmups:]


def main():
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--repeats", type=int, default=50, help="measured repetitions")
    made.add_argument("--warmups", type=int, default=5, help="repetitions before measuring")
    args = made.parse_args()
    actions = works(np.float32) | works(np.float64)
    times = {name: seconds_each(action, args.repeats, args.warmups) for name, action in actions.items()}
    line = {
        "peer": "numpy_advantages",
        "arguments": vars(args),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "median_secs": {name: round(statistics.median(each), 7) for name, each in times.items()},
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
