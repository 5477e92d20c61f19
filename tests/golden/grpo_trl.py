"""Golden advantages, losses and gradients of GRPO, computed by TRL's own trainer code.

Versions: trl 1.16.0, torch 2.15.0 (f64, one thread). Seed: 7.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/grpo_trl.py
Writes tests/golden/grpo_trl.json.

No model is run. A GRPOTrainer is made without its constructor; what it would have generated and scored is handed to
`_generate_and_score_completions` (advantages, masks, token count), and the log-probs a model would have given are
handed to `_compute_loss` as leaves, so `loss.backward()` gives d loss / d log-prob and d loss / d entropy.

In the file a sequence is the list of its sampled tokens alone: padding and tool tokens are left out, after the script
has asserted that their gradient is zero. Sequences masked for truncation stay. Log-probs and entropies are f32 values
printed exactly.
"""

import collections
import itertools
import json
import os
import pathlib
import types

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import trl
from trl.trainer.grpo_trainer import GRPOTrainer

SEED = 7
PAD, EOS, WORD = 0, 1, 2
MAX_COMPLETION_LENGTH = 9
N_GENERATIONS = 4
OUT = pathlib.Path(__file__).with_suffix(".json")

# Loss types that this file pins. TRL's others run as well: name them here; luspo wants the importance sampling level
# "sequence" in `SETTINGS`.
LOSS_TYPES = ["grpo", "bnpo", "dr_grpo", "dapo"]
LOSS_ARGUMENTS = dict(
    sapo_temperature_neg=1.05,
    sapo_temperature_pos=1.0,
    vespo_k_pos=2.0,
    vespo_lambda_pos=3.0,
    vespo_k_neg=3.0,
    vespo_lambda_neg=2.0,
)
KL_FORMS = [dict(beta=0.0), dict(beta=0.04, corrected=True), dict(beta=0.04, corrected=False)]
DELTAS = [None, 1.5]
SETTINGS = dict(
    epsilon_low=0.2,
    epsilon_high=0.28,
    top_entropy_quantile=1.0,
    off_policy_mask_threshold=None,
    importance_sampling_level="token",
    use_vllm=False,
    vllm_importance_sampling_correction=False,
    max_completion_length=MAX_COMPLETION_LENGTH,
    use_adaptive_entropy=False,
    aux_loss_enabled=False,
)

# Tokens of each completion: two groups of four. A completion that does not end in EOS was truncated.
COMPLETIONS = [
    [WORD] * 4 + [EOS],
    [EOS],
    [WORD] * 6,
    [WORD] * 2 + [EOS],
    [WORD] * 8 + [EOS],
    [WORD] * 3 + [EOS],
    [WORD] * 9,
    [WORD] * 1 + [EOS],
]
# 0 where a token came from a tool. The second completion of the second group has no token of the policy at all.
TOOL_MASKS = [
    [1, 1, 0, 0, 1],
    [1],
    [1, 0, 0, 1, 1, 1],
    [1, 1, 1],
    [1, 1, 0, 0, 0, 1, 1, 1, 1],
    [0, 0, 0, 0],
    [1, 1, 1, 0, 1, 1, 0, 1, 1],
    [1, 1],
]
MASKS = {
    "plain": dict(tools=False, truncated=False),
    "tools": dict(tools=True, truncated=False),
    "tools_and_truncated": dict(tools=True, truncated=True),
}
NAN = float("nan")
# One column for each reward function.
REWARDS = {
    "two_functions": (
        [[1.0, 0.2], [0.0, 0.9], [0.5, 0.4], [2.0, 0.1], [0.0, 0.7], [1.0, 0.0], [0.0, 1.0], [1.0, 0.3]],
        [1.0, 0.5],
    ),
    "unscorable": (
        [[1.0, NAN], [NAN, NAN], [0.5, 0.4], [2.0, 0.1], [NAN, 0.7], [1.0, 0.0], [NAN, NAN], [1.0, 0.3]],
        [1.0, 0.5],
    ),
    "one_scorable_in_group": ([[1.0], [0.0], [0.0], [2.0], [NAN], [NAN], [0.5], [NAN]], [1.0]),
    "none_scorable": ([[NAN]] * 8, [1.0]),
}


class Accelerator:
    """One process."""

    num_processes, process_index, sync_gradients = 1, 0, True
    device = torch.device("cpu")

    def gather(self, tensor):
        return tensor

    def reduce(self, tensor, reduction):
        return tensor


def stub_trainer(**settings):
    trainer = GRPOTrainer.__new__(GRPOTrainer)
    trainer.accelerator = Accelerator()
    trainer.model = types.SimpleNamespace(training=True)
    trainer._metrics = {"train": collections.defaultdict(list)}
    trainer._tokenizer = types.SimpleNamespace(pad_token_id=PAD)
    trainer.eos_token_ids = [EOS]
    for name, value in {**SETTINGS, **settings}.items():
        setattr(trainer, name, value)
    return trainer


def generate_and_score(rewards, weights, masks, scale_rewards="group", aggregation="sum_then_normalize"):
    """What TRL makes of these completions and rewards: advantages, masks and the token count of the batch."""
    names = [f"reward_{index}" for index in range(len(weights))]
    trainer = stub_trainer(
        scale_rewards=scale_rewards,
        multi_objective_aggregation=aggregation,
        mask_truncated_completions=masks["truncated"],
        num_generations=N_GENERATIONS,
        num_iterations=1,
        beta=0.0,
        environment_factories=None,
        environments=None,
        tools=[],
        pad_to_multiple_of=None,
        reward_funcs=names,
        reward_func_names=names,
        reward_weights=torch.tensor(weights),
        log_multimodal=False,
        _is_vlm=False,
        _pending_extra_logs=collections.defaultdict(list),
        _pending_metrics=collections.defaultdict(list),
        _logs=collections.defaultdict(list, rewards=collections.defaultdict(list)),
        args=types.SimpleNamespace(
            steps_per_generation=1,
            gradient_accumulation_steps=1,
            per_device_train_batch_size=len(COMPLETIONS),
            gradient_checkpointing_kwargs=None,
            gradient_checkpointing=False,
        ),
    )
    trainer.model.is_gradient_checkpointing = False
    tool_masks = TOOL_MASKS if masks["tools"] else None
    prompts = [[WORD]] * len(COMPLETIONS)
    trainer._generate = lambda _: (prompts, COMPLETIONS, tool_masks, ["text"] * len(COMPLETIONS), None, {}, None, None)
    trainer._calculate_rewards = lambda *_: torch.tensor(rewards)
    outputs = trainer._generate_and_score_completions([{"prompt": "p"}] * len(COMPLETIONS))
    metrics = {name: values[-1] for name, values in trainer._metrics["train"].items()}
    return outputs, metrics


def scores(generator):
    """Current, old and reference log-probs and entropies of every token, as f32 values in f64 tensors."""
    shape = (len(COMPLETIONS), max(map(len, COMPLETIONS)))

    def normal(scale):
        return torch.randn(shape, generator=generator) * scale

    current = -torch.rand(shape, generator=generator) * 3.0 - 0.05
    values = dict(
        logps=current,
        old=current + normal(0.35),
        ref=current + normal(0.5),
        entropies=torch.rand(shape, generator=generator) * 2.0,
    )
    return {name: value.float().double() for name, value in values.items()}


def compute_loss(outputs, tokens, rows, window, *, loss_type, beta, corrected, delta, on_policy, entropy_coef=0.0):
    """Loss and gradients of the micro-batch `rows`; `window` = (accumulation steps, steps per generation)."""
    accumulation, steps_per_generation = window
    logps = tokens["logps"][rows].clone().requires_grad_()
    entropies = tokens["entropies"][rows].clone().requires_grad_()
    trainer = stub_trainer(
        loss_type=loss_type,
        beta=beta,
        current_gradient_accumulation_steps=accumulation,
        entropy_coef=entropy_coef,
        _entropy_bonus_enabled=entropy_coef != 0.0,
        args=types.SimpleNamespace(
            delta=delta,
            use_bias_correction_kl=corrected,
            steps_per_generation=steps_per_generation,
            **LOSS_ARGUMENTS,
        ),
    )
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (logps, entropies, None)
    names = ["prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "advantages", "tool_mask"]
    inputs = {name: outputs[name][rows] for name in names if name in outputs}
    inputs["num_items_in_batch"] = outputs["num_items_in_batch"]
    if not on_policy:
        inputs["old_per_token_logps"] = tokens["old"][rows]
    if beta != 0.0:
        inputs["ref_per_token_logps"] = tokens["ref"][rows]
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    metrics = {name: values[-1] for name, values in trainer._metrics["train"].items()}
    entropy_gradient = torch.zeros_like(entropies) if entropies.grad is None else entropies.grad
    return loss.item(), logps.grad, entropy_gradient, metrics


def sampled(tensor, batch, gradient=False):
    """The tensor's values at the tokens that the policy sampled, one list for each sequence."""
    rows = []
    for values, tokens, tool_mask in zip(tensor.tolist(), COMPLETIONS, TOOL_MASKS, strict=True):
        keep = tool_mask if MASKS[batch]["tools"] else [1] * len(tokens)
        keep = keep + [0] * (len(values) - len(keep))
        if gradient:
            assert all(kept or value == 0 for value, kept in zip(values, keep)), "a masked token has a gradient"
        rows.append([value for value, kept in zip(values, keep) if kept])
    return rows


def no_nan(values):
    """NaN is no JSON."""
    if isinstance(values, dict):
        return {name: no_nan(value) for name, value in values.items()}
    if isinstance(values, list):
        return [no_nan(value) for value in values]
    return None if isinstance(values, float) and values != values else values


def advantage_cases():
    cases = []
    for name, (rewards, weights) in REWARDS.items():
        kinds = [(scale, "sum_then_normalize") for scale in ["group", "batch", "none"]]
        kinds.append(("group", "normalize_then_sum"))
        for scale_rewards, aggregation in kinds:
            outputs, metrics = generate_and_score(rewards, weights, MASKS["plain"], scale_rewards, aggregation)
            cases.append(
                dict(
                    rewards=name,
                    scale_rewards=scale_rewards,
                    aggregation=aggregation,
                    advantages=outputs["advantages"].tolist(),
                    reward=metrics["reward"],
                    reward_std=metrics["reward_std"],
                )
            )
    return cases


def loss_case(outputs, tokens, name, micro_batches=1, steps_per_generation=None, entropy_coef=0.0, **settings):
    """One optimiser step: the first `micro_batches` slices of the batch, as many as make one accumulation window."""
    steps_per_generation = steps_per_generation or micro_batches
    size = len(COMPLETIONS) // steps_per_generation
    window = (micro_batches, steps_per_generation)
    total, metrics = 0.0, None
    d_logprob, d_entropy = torch.zeros_like(tokens["logps"]), torch.zeros_like(tokens["logps"])
    for index in range(micro_batches):
        rows = slice(index * size, (index + 1) * size)
        loss, logprob_gradient, entropy_gradient, metrics = compute_loss(
            outputs, tokens, rows, window, entropy_coef=entropy_coef, **settings
        )
        total += loss
        d_logprob[rows], d_entropy[rows] = logprob_gradient, entropy_gradient
    case = dict(batch=name, micro_batches=micro_batches, steps_per_generation=steps_per_generation)
    case |= dict(entropy_coef=entropy_coef, **settings, loss=total)
    case["d_logprob"] = sampled(d_logprob, name, gradient=True)
    if entropy_coef != 0.0:
        case["d_entropy"] = sampled(d_entropy, name, gradient=True)
    if micro_batches == steps_per_generation == 1:
        wanted = ["kl", "entropy", "clip_ratio/low_mean", "clip_ratio/high_mean", "clip_ratio/region_mean"]
        case["metrics"] = {metric: metrics[metric] for metric in wanted if metric in metrics}
    return case


def all_loss_cases(batches, tokens):
    cases = []
    for kl, loss_type, delta in itertools.product(KL_FORMS, LOSS_TYPES, DELTAS):
        settings = dict(loss_type=loss_type, delta=delta, **{"corrected": False, **kl})
        for (name, outputs), on_policy in itertools.product(batches.items(), [True, False]):
            cases.append(loss_case(outputs, tokens, name, on_policy=on_policy, **settings))
    # Beyond one whole batch: accumulation, half a generation batch as one step, and the entropy bonus.
    settings = dict(beta=0.04, corrected=True, delta=None, on_policy=False)
    for loss_type, (name, outputs) in itertools.product(LOSS_TYPES, batches.items()):
        cases.append(loss_case(outputs, tokens, name, micro_batches=2, loss_type=loss_type, **settings))
        cases.append(loss_case(outputs, tokens, name, entropy_coef=0.01, loss_type=loss_type, **settings))
    for name, outputs in batches.items():
        cases.append(loss_case(outputs, tokens, name, steps_per_generation=2, loss_type="dapo", **settings))
    return cases


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    assert trl.__version__ == "1.16.0", trl.__version__
    tokens = scores(torch.Generator().manual_seed(SEED))
    rewards, weights = REWARDS["two_functions"]
    batches = {name: generate_and_score(rewards, weights, masks)[0] for name, masks in MASKS.items()}
    golden = dict(
        versions=dict(trl=trl.__version__, torch=torch.__version__),
        seed=SEED,
        epsilon_low=SETTINGS["epsilon_low"],
        epsilon_high=SETTINGS["epsilon_high"],
        max_completion_length=MAX_COMPLETION_LENGTH,
        n_generations=N_GENERATIONS,
        rewards={name: dict(per_function=rows, weights=weights) for name, (rows, weights) in REWARDS.items()},
        advantages=advantage_cases(),
        batches={
            name: dict(
                rewards="two_functions",
                mask_truncated=MASKS[name]["truncated"],
                truncated=[completion[-1] != EOS for completion in COMPLETIONS],
                n_generation_tokens=outputs["num_items_in_batch"].item(),
                **{kind: sampled(tokens[kind], name) for kind in ["logps", "old", "ref", "entropies"]},
            )
            for name, outputs in batches.items()
        },
        losses=all_loss_cases(batches, tokens),
    )
    text = json.dumps(no_nan(golden), allow_nan=False)
    for first_key in ["batch", "rewards"]:  # one case a line
        text = text.replace('}, {"%s"' % first_key, '},\n{"%s"' % first_key)
    OUT.write_text(text + "\n")


if __name__ == "__main__":
    main()
