"""Golden trajectories of AdamW with gradient clipping, as torch steps them.

Versions: torch 2.15.0 (f32, one thread, foreach and fused off). Seed: 11.
Command: OMP_NUM_THREADS=1 python tests/golden/adamw.py
Writes tests/golden/adamw.json: for each case the settings, the start, the gradients before clipping, and after each
step the total norm, the learning rate, parameters and both moments. Numbers are f32 values printed exactly.

Two groups, as a trainer makes them: `matrix` decays, `vector` does not. Both are clipped by one common norm.
"""

import tools  # first: it sets the environment variables that torch reads
import torch

SEED = 11
N_STEPS = 5
SHAPES = {"matrix": (3, 5), "vector": (7,)}
CASES = {
    "defaults_clip_1": dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, max_norm=1.0),
    "large_steps_clip_half": dict(lr=3e-2, betas=(0.9, 0.95), eps=1e-6, weight_decay=0.1, max_norm=0.5),
    "no_clip": dict(lr=1e-2, betas=(0.8, 0.99), eps=1e-8, weight_decay=0.1, max_norm=None),
    "warm_up": dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, max_norm=1.0, warmup_steps=3),
}
# One step below every limit, one far above, one with gradients near epsilon, one with none at all.
GRADIENT_SCALES = [0.05, 3.0, 1e-7, 0.0, 0.4]


def gradients():
    """The gradients of every step, the same for all cases."""
    generator = torch.Generator().manual_seed(SEED)
    steps = []
    for scale in GRADIENT_SCALES:
        steps.append({name: torch.randn(shape, generator=generator) * scale for name, shape in SHAPES.items()})
    return steps


def start():
    generator = torch.Generator().manual_seed(SEED + 1)
    return {name: torch.randn(shape, generator=generator).requires_grad_() for name, shape in SHAPES.items()}


def groups(parameters, case):
    return [
        {"params": [parameters["matrix"]], "weight_decay": case["weight_decay"]},
        {"params": [parameters["vector"]], "weight_decay": 0.0},
    ]


def learning_rate(case, step):
    """Linear warm-up to the full rate at step `warmup_steps`, counted from 1."""
    return case["lr"] * min(1.0, (step + 1) / case.get("warmup_steps", 1))


def numbers(tensors):
    return {name: tensor.detach().flatten().tolist() for name, tensor in tensors.items()}


def trajectory(case, **kind):
    """The states after each step; `kind` chooses one of torch's implementations."""
    parameters = start()
    optimiser = torch.optim.AdamW(groups(parameters, case), lr=case["lr"], betas=case["betas"], eps=case["eps"], **kind)
    states = []
    for step, grads in enumerate(gradients()):
        rate = learning_rate(case, step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        for name, parameter in parameters.items():
            parameter.grad = grads[name].clone()
        limit = float("inf") if case["max_norm"] is None else case["max_norm"]
        norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), limit)
        optimiser.step()
        moments = {name: optimiser.state[parameter] for name, parameter in parameters.items()}
        states.append(
            {
                "lr": rate,
                "grad_norm": norm.item(),
                "parameters": numbers(parameters),
                "first_moment": numbers({name: state["exp_avg"] for name, state in moments.items()}),
                "second_moment": numbers({name: state["exp_avg_sq"] for name, state in moments.items()}),
            }
        )
    return states


def check_kinds_agree(name, case, states):
    """Torch's fused and batched steps round differently; a test's tolerance must be wider than that."""
    for kind in ({"foreach": True}, {"fused": True}):
        other = trajectory(case, **kind)[-1]["parameters"]
        for key, values in states[-1]["parameters"].items():
            assert torch.allclose(torch.tensor(values), torch.tensor(other[key]), rtol=1e-5, atol=1e-7), (name, kind)


def main():
    versions = tools.prepare()
    cases = {}
    for name, case in CASES.items():
        states = trajectory(case, foreach=False, fused=False)
        check_kinds_agree(name, case, states)
        cases[name] = {"settings": case, "steps": states}
    golden = {
        "versions": versions,
        "seed": SEED,
        "shapes": SHAPES,
        "start": numbers(start()),
        "gradients": [numbers(grads) for grads in gradients()],
        "cases": cases,
    }
    tools.write_json("adamw.json", golden)


if __name__ == "__main__":
    main()
