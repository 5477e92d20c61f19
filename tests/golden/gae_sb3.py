"""Golden advantages and returns of Stable-Baselines3's rollout buffer: done flags, bootstrap values, several lambdas.

Versions: stable-baselines3 2.9.2, numpy as installed with it. Seed: 7.
Command: OMP_NUM_THREADS=1 python tests/golden/gae_sb3.py
Writes tests/golden/gae_sb3.json: for each case the settings, the rollout with steps first, and what the buffer computed
in float32.
"""

import json
import pathlib

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3.common.buffers import RolloutBuffer

OUT = pathlib.Path(__file__).with_suffix(".json")
SEED = 7
# (steps, environments, gamma, lambda, share of steps that end an episode)
CASES = [
    (7, 3, 0.99, 0.95, 0.0),
    (7, 3, 0.99, 0.95, 0.3),
    (12, 5, 0.9, 0.8, 0.2),
    (12, 5, 1.0, 1.0, 0.2),
    (12, 5, 0.9, 0.0, 0.2),
    (1, 2, 0.99, 0.95, 0.5),
    (9, 1, 0.99, 0.95, 1.0),
]


def flat(array):
    """A flat list whose text is the shortest that gives the same float32 again."""
    return [float(str(value)) for value in np.asarray(array, dtype=np.float32).reshape(-1)]


def run(random, n_steps, n_envs, gamma, gae_lambda, end_share):
    box = gymnasium.spaces.Box(-1.0, 1.0, (1,))
    buffer = RolloutBuffer(n_steps, box, box, device="cpu", gae_lambda=gae_lambda, gamma=gamma, n_envs=n_envs)
    rewards = random.uniform(-1, 1, (n_steps, n_envs)).astype(np.float32)
    values = random.uniform(-1, 1, (n_steps, n_envs)).astype(np.float32)
    last_values = random.uniform(-1, 1, n_envs).astype(np.float32)
    dones = random.uniform(0, 1, (n_steps, n_envs)) < end_share
    nothing = np.zeros((n_envs, 1), dtype=np.float32)
    starts = np.ones(n_envs, dtype=bool)
    for step in range(n_steps):
        buffer.add(nothing, nothing, rewards[step], starts, torch.tensor(values[step]), torch.zeros(n_envs))
        starts = dones[step]
    buffer.compute_returns_and_advantage(last_values=torch.tensor(last_values), dones=dones[-1])
    return dict(
        n_steps=n_steps,
        n_envs=n_envs,
        gamma=gamma,
        gae_lambda=gae_lambda,
        rewards=flat(rewards),
        values=flat(values),
        dones=[bool(done) for done in dones.reshape(-1)],
        last_values=flat(last_values),
        advantages=flat(buffer.advantages),
        returns=flat(buffer.returns),
    )


def main():
    assert stable_baselines3.__version__ == "2.9.2", stable_baselines3.__version__
    random = np.random.default_rng(SEED)
    golden = dict(
        versions=dict(stable_baselines3=stable_baselines3.__version__, numpy=np.__version__, torch=torch.__version__),
        seed=SEED,
        cases=[run(random, *case) for case in CASES],
    )
    OUT.write_text(json.dumps(golden, allow_nan=False).replace('}, {"n_steps"', '},\n{"n_steps"') + "\n")


if __name__ == "__main__":
    main()
