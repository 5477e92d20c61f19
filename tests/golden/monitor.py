"""Golden health of a run: a recorded stream of step metrics, what is wrong with it, and what to change.

Versions: numpy 2.4.6, transformers 5.23.0, stable-baselines3 2.9.2, torch 2.15.0 (Python 3.11). Seed: SEED.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/monitor.py
Writes tests/golden/monitor.json:
  stream       {metric: one number for each step, or null where the step has none}, step i + 1 at index i: a table of
               softmax policies trained by PPO-clip on groups, with a learning rate that is far too high, a sampler that
               slowly goes stale and a time in which the gradient bursts
  levels       {signal: a string with one letter for each step: o ok, w warn, a act, - not measured}
  offered      {setting: value at the start}
  adjustments  [[step, setting, from, to, signal]]
  patience     [{patience, rewards, stops_at}]: index of the evaluation at which transformers' EarlyStoppingCallback
               stops, or null
  variance     [{returns, values, explained}]: stable-baselines3's explained_variance

Levels and adjustments come from a reader that goes through the whole past at every step, written from the table of
limits and without any running state.
"""

import json
import math
import os
import pathlib
import statistics
from types import SimpleNamespace

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
from stable_baselines3.common.utils import explained_variance
from transformers import EarlyStoppingCallback

SEED = 5
N_STEPS, N_SCENARIOS, N_ACTIONS, GROUP, PASSES = 220, 12, 16, 8, 4
LEARNING_RATE, CLIP, TARGET_KL = 40.0, 0.2, 0.02
BURSTS = range(27, 41)
OUT = pathlib.Path(__file__).with_suffix(".json")


def log_softmax(logits):
    top = logits.max(axis=-1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))


def k3(log_ratio):
    return np.mean(np.exp(log_ratio) - 1 - log_ratio)


def toy_run(rng):
    """Columns of metrics of a run that goes wrong."""
    start = rng.normal(0, 0.5, (N_SCENARIOS, N_ACTIONS))
    logits, rewards = start.copy(), rng.choice([0.0, 0.0, 0.5, 1.0], (N_SCENARIOS, N_ACTIONS))
    rows = np.repeat(np.arange(N_SCENARIOS), GROUP)
    stream = []
    for step in range(1, N_STEPS + 1):
        table = log_softmax(logits)
        noise = table + rng.normal(0, 0.0008 * step, table.shape)
        sampler = log_softmax(noise)
        drawn = [rng.choice(N_ACTIONS, GROUP, p=np.exp(sampler[s])) for s in range(N_SCENARIOS)]
        actions = np.concatenate(drawn)
        reward = rewards[rows, actions].reshape(N_SCENARIOS, GROUP)
        std = reward.std(axis=1, keepdims=True)
        advantage = np.where(std > 0, (reward - reward.mean(axis=1, keepdims=True)) / (std + 1e-4), 0).ravel()
        old, behaviour = table[rows, actions], sampler[rows, actions]
        drifts, clips, norms = [], [], []
        for _ in range(PASSES):
            current = log_softmax(logits)
            ratio = np.exp(current[rows, actions] - old)
            low, high = (ratio < 1 - CLIP) & (advantage < 0), (ratio > 1 + CLIP) & (advantage > 0)
            drifts.append(k3(current[rows, actions] - old))
            clips.append(np.mean(low | high))
            slope = np.where(low | high, 0, -advantage * ratio) / len(rows)
            gradient = np.zeros_like(logits)
            for row, action, d in zip(rows, actions, slope):
                gradient[row] -= d * np.exp(current[row])
                gradient[row, action] += d
            norms.append(np.linalg.norm(gradient))
            logits = logits - LEARNING_RATE * gradient
        weight = np.exp(old - behaviour)
        metrics = {
            "gradient/norm": np.mean(norms) * (40 if step in BURSTS else 1),
            "drift/k3": np.mean(drifts),
            "mismatch/weight_mean": weight.mean(),
            "mismatch/kl": k3(old - behaviour),
            "mismatch/ess": weight.sum() ** 2 / (weight**2).sum() / len(weight),
            "clip/region": np.mean(clips),
            "reference_kl": k3(log_softmax(start)[rows, actions] - old),
            "entropy": -(np.exp(table) * table).sum(axis=1).mean(),
            "reward/dead_share": np.mean(np.repeat(std.ravel() == 0, GROUP)),
            "reward/mean": reward.mean(),
            "length/truncated_share": (step % 11) / 40,
        }
        if step % 13 == 0:  # a step whose reference pass was left out
            del metrics["reference_kl"]
        stream.append({name: round(float(value), 6) for name, value in metrics.items()})
    return stream


def past(stream, name):
    return [step[name] for step in stream if name in step]


def every(values, n, holds):
    return len(values) >= n and all(holds(v) for v in values[-n:])


def newer_minus_older(values, n):
    if len(values) < n:
        return None
    return statistics.fmean(values[-n:][n // 2 :]) - statistics.fmean(values[-n:][: n // 2])


def gradient_bursts(stream):
    """Numbers of the steps whose norm is above ten times the median of the fifty before."""
    found = []
    for i, step in enumerate(stream):
        before = [norm for norm in past(stream[:i], "gradient/norm")[-50:] if norm > 0]
        if len(before) >= 5 and step["gradient/norm"] > 10 * statistics.median(before):
            found.append(i + 1)
    return found


def restores(bursts):
    """Those of them that are the third within twenty steps; counting begins anew after each."""
    found, counted = [], []
    for step in bursts:
        counted = [at for at in counted if at > step - 20] + [step]
        if len(counted) == 3:
            found.append(step)
            counted = []
    return found


def level(signal, stream):
    """Level of the last step of the stream, from all of it."""
    name = {
        "gradient_norm": "gradient/norm", "drift": "drift/k3", "mismatch_weight": "mismatch/weight_mean",
        "mismatch_kl": "mismatch/kl", "effective_samples": "mismatch/ess", "clip_share": "clip/region",
        "reference_kl": "reference_kl", "entropy": "entropy", "dead_groups": "reward/dead_share",
        "truncation": "length/truncated_share",
    }[signal]
    if name not in stream[-1]:
        return "-"
    now, values = stream[-1][name], past(stream, name)
    if signal == "gradient_norm":
        return "a" if len(stream) in gradient_bursts(stream) else "o"
    if signal == "drift":
        return "a" if now > 1.5 * TARGET_KL else "w" if now > TARGET_KL else "o"
    if signal == "mismatch_weight":
        return "o" if 0.5 <= now <= 2 else "a"
    if signal == "mismatch_kl":
        growth = newer_minus_older(values, 10)
        return "a" if now > 0.01 else "w" if now > 0.001 and growth is not None and growth > 0 else "o"
    if signal == "effective_samples":
        return "a" if now < 0.1 else "w" if now < 0.3 else "o"
    if signal == "clip_share":
        if every(values, 5, lambda v: v > 0.3):
            return "a"
        return "w" if now > 0.2 or every(values, 50, lambda v: v == 0) else "o"
    if signal == "reference_kl":
        return "a" if every(values, 10, lambda v: v > 0.5) else "w" if now > 0.1 else "o"
    if signal == "entropy":
        return "a" if now < 0.1 * values[0] else "w" if now < 0.3 * values[0] else "o"
    if signal == "dead_groups":
        return "a" if every(values, 20, lambda v: v > 0.8) else "w" if now > 0.5 else "o"
    return "w" if now > 0.2 else "o"


SIGNALS = ["gradient_norm", "drift", "mismatch_weight", "mismatch_kl", "effective_samples", "clip_share", "reference_kl",
           "entropy", "dead_groups", "truncation"]
OFFERED = {"learning_rate": 1e-5, "kl_coef": 0.05, "clip_high": 0.2, "temperature": 1.0, "entropy_target": 0.0,
           "epochs": 4.0, "dynamic_sampling": 0.0}


def adjust(stream, levels):
    """At most one change in twenty steps: for bursts of the gradient that were not answered yet, else for the signal
    that was answered least often, of equals the first in SIGNALS, that can still move something."""
    value, changes, done = dict(OFFERED), [], set()
    third = restores(gradient_bursts(stream))
    first_entropy = stream[0]["entropy"]

    def times(key, factor):
        new = min(max(value[key] * factor, 0.1 * OFFERED[key]), 10 * OFFERED[key])
        return key, max(1.0, math.floor(new)) if key == "epochs" else new

    for step in range(1, len(stream) + 1):
        if changes and step - changes[-1][0] < 20:
            continue
        wanted = []
        answered = [change[4] for change in changes]
        for signal in sorted(SIGNALS, key=lambda s: (s != "gradient_norm", answered.count(s))):
            if signal == "gradient_norm":  # an event: it waits until a change is allowed
                asks = any(at <= step for at in third if at not in done)
            else:
                asks = levels[signal][step - 1] == "a"
            if not asks:
                continue
            wanted += [(signal, change) for change in {
                "gradient_norm": [times("learning_rate", 0.5)],
                "drift": [times("epochs", 0.5), times("learning_rate", 0.5)],
                "clip_share": [times("learning_rate", 0.5)],
                "reference_kl": [times("kl_coef", 2), times("learning_rate", 0.5)],
                "entropy": [("entropy_target", value["entropy_target"] or 0.5 * first_entropy),
                            ("clip_high", max(value["clip_high"], 0.28)), times("temperature", 1.1)],
                "dead_groups": [("dynamic_sampling", 1.0)],
            }.get(signal, [])]
        for signal, (key, new) in wanted:
            if new != value[key]:
                changes.append([step, key, value[key], new, signal])
                value[key] = new
                if signal == "gradient_norm":
                    done |= {at for at in third if at <= step}
                break
    return changes


def patience_cases(rng):
    cases = []
    for patience in (1, 2, 3, 5):
        for _ in range(4):
            rewards = [round(float(r), 2) for r in np.cumsum(rng.normal(0.01, 0.05, 30))]
            callback = EarlyStoppingCallback(early_stopping_patience=patience, early_stopping_threshold=0.0)
            arguments = SimpleNamespace(metric_for_best_model="eval_reward", greater_is_better=True)
            state, stops_at = SimpleNamespace(best_metric=None), None
            for i, reward in enumerate(rewards):
                control = SimpleNamespace(should_training_stop=False)
                callback.on_evaluate(arguments, state, control, {"eval_reward": reward})
                if state.best_metric is None or reward > state.best_metric:
                    state.best_metric = reward
                if control.should_training_stop:
                    stops_at = i
                    break
            cases.append({"patience": patience, "rewards": rewards, "stops_at": stops_at})
    return cases


def variance_cases(rng):
    cases = []
    for n, noise in ((5, 0.1), (9, 1.0), (40, 3.0)):
        returns = rng.normal(2.0, 1.0, n).round(4)
        values = (returns + rng.normal(0.5, noise, n)).round(4)
        explained = float(explained_variance(values, returns))
        cases.append({"returns": returns.tolist(), "values": values.tolist(), "explained": explained})
    return cases


def main():
    rng = np.random.default_rng(SEED)
    stream = toy_run(rng)
    levels = {s: "".join(level(s, stream[: i + 1]) for i in range(len(stream))) for s in SIGNALS}
    names = sorted({name for step in stream for name in step})
    golden = {
        "stream": {name: [step.get(name) for step in stream] for name in names},
        "levels": levels,
        "offered": OFFERED,
        "adjustments": adjust(stream, levels),
        "patience": patience_cases(rng),
        "variance": variance_cases(rng),
    }
    parts = (f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
    OUT.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
