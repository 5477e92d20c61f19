"""Golden losses and gradients of every online policy loss in TRL, computed by TRL's own trainer code.

Versions: trl 1.16.0, torch 2.15.0 (f64, one thread). Seed: 13.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/policy_trl.py
Writes tests/golden/policy_trl.json. `grpo_trl.py` covers rewards to advantages and four of the losses more densely.

No model is run. A trainer is made without its constructor; what it would have generated and scored is handed to
`_generate_and_score_completions` (masks, advantages, token count, importance sampling ratios), and the log-probs a
model would have given are handed to `_compute_loss` as leaves, so `backward` gives d loss / d log-prob and
d loss / d entropy. Log-probs and entropies are f32 values printed exactly; results have 12 digits.

Layout. A sequence is the list of its sampled tokens alone: padding and tool tokens are left out, after the script has
asserted that their gradient is zero. Sequences masked for truncation stay in, with gradients of zero.

- `defaults`: the settings of a case that does not name them. `null` is TRL's None: off.
- `max_completion_length` (the constant of `dr_grpo`), `n_generations` (sequences 0-2 are a group, 3-5 another).
- `batches.<name>`: `mask_truncated` (whether truncated sequences are left out of the loss), and for each sequence
  `truncated`, `advantages`, `rewards`, `logps` (current), `old`, `ref`, `sampling` (the sampler's) and `entropies`.
  `n_tokens` is N_gen, the loss tokens of the generation batch. Batch `unscored` is `plain` with two sampler log-probs
  missing (null).
- `cases`: `batch`; the settings that differ from `defaults`; `loss`; `d_logprob`; `d_entropy` where there is an entropy
  bonus; `metrics` under TRL's names (only of cases with one micro-batch); `importance_sampling_ratio` where there is a
  correction: one number a token, or one in all for sequence modes.
  `algorithm` is `grpo` (with its `loss_type`) or `gmpo`. With `on_policy` the old log-probs are absent: the current
  ones serve, detached. With `micro_batches` 2 the batch is cut into its two groups, gradients accumulate and the losses
  add up; `steps_per_generation` other than `micro_batches` makes the first `micro_batches` parts an optimiser step of
  their own, and the other sequences have gradients of zero.
  In `cispo` `epsilon_high` is the cap itself and not a width; in `gmpo` the widths are of log-ratios.
  `top_entropy_quantile` q keeps the tokens whose entropy is at least the quantile 1 - q of their micro-batch.
- `adaptive_entropy`: optimiser steps in order, with one controller: `batch`, `loss`, `d_entropy` and `entropy_coef`
  after it.
- `rloo`: `rewards`, `beta` (KL in the reward), `normalize`; `advantages`; then `loss`, `d_logprob` and `metrics` of one
  step at `epsilon_low`, `epsilon_high` with these advantages.
"""

import collections
import json
import math
import os
import pathlib
import types

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
import torch
import trl
from trl.experimental.gmpo.gmpo_trainer import GMPOTrainer
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.rloo_trainer import RLOOTrainer

SEED = 13
PAD, EOS, WORD = 0, 1, 2
MAX_COMPLETION_LENGTH = 7
N_GENERATIONS = 3
OUT = pathlib.Path(__file__).with_suffix(".json")
NAN = float("nan")

DEFAULTS = dict(
    algorithm="grpo",
    loss_type="grpo",
    importance_sampling_level="token",
    on_policy=False,
    beta=0.0,
    use_bias_correction_kl=True,
    epsilon_low=0.2,
    epsilon_high=0.28,
    delta=None,
    top_entropy_quantile=1.0,
    off_policy_mask_threshold=None,
    vllm_importance_sampling_mode=None,
    vllm_importance_sampling_clip_min=None,
    vllm_importance_sampling_clip_max=3.0,
    entropy_coef=0.0,
    micro_batches=1,
    steps_per_generation=1,
    sapo_temperature_neg=1.05,
    sapo_temperature_pos=1.0,
    vespo_k_pos=2.0,
    vespo_lambda_pos=3.0,
    vespo_k_neg=3.0,
    vespo_lambda_neg=2.0,
)

# Tokens of each completion: two groups of three. A completion that does not end in EOS was truncated.
COMPLETIONS = [
    [WORD] * 3 + [EOS],
    [EOS],
    [WORD] * 6,
    [WORD] * 2 + [EOS],
    [WORD] * 6 + [EOS],
    [WORD] * 3 + [EOS],
]
# 0 where a token came from a tool. The last completion has no token of the policy at all.
TOOL_MASKS = [[1, 0, 0, 1], [1], [1, 0, 1, 1, 1, 1], [1, 1, 1], [1, 1, 0, 0, 1, 1, 1], [0, 0, 0, 0]]
BATCHES = {
    "plain": dict(tools=False, truncated=False, missing=[]),
    "tools": dict(tools=True, truncated=False, missing=[]),
    "truncated": dict(tools=False, truncated=True, missing=[]),
    "tools_and_truncated": dict(tools=True, truncated=True, missing=[]),
    "unscored": dict(tools=False, truncated=False, missing=[(0, 1), (4, 5)]),
}
REWARDS = [1.0, 0.0, 0.2, 2.0, 0.3, 0.4]
RLOO_REWARDS = {
    "scored": REWARDS,
    "one_unscorable": [1.0, NAN, 0.2, 2.0, 0.3, 0.4],
    "one_scorable_in_group": [1.0, 0.0, 0.2, NAN, 0.3, NAN],
}

# Each loss with its importance sampling levels. VESPO takes tokens alone, and TRL warns of any other level.
CLIPPED = ["grpo", "bnpo", "dr_grpo", "dapo", "luspo"]
LOSSES = [(loss, level) for loss in [*CLIPPED, "cispo", "sapo"] for level in ["token", "sequence"]]
LOSSES += [("vespo", "token")]
TOKEN_MODES = ["token_truncate", "token_mask"]
SEQUENCE_MODES = ["sequence_truncate", "sequence_mask"]


class Accelerator:
    """One process."""

    num_processes, process_index, sync_gradients = 1, 0, True
    device = torch.device("cpu")

    def gather(self, tensor):
        return tensor

    def reduce(self, tensor, reduction):
        return tensor

    def pad_across_processes(self, tensor, dim, pad_index):
        return tensor


def stub_trainer(kind, **settings):
    trainer = kind.__new__(kind)
    trainer.accelerator = Accelerator()
    trainer.model = types.SimpleNamespace(training=True, is_gradient_checkpointing=False)
    trainer._metrics = {"train": collections.defaultdict(list)}
    trainer._tokenizer = types.SimpleNamespace(pad_token_id=PAD)
    trainer.eos_token_ids = [EOS]
    trainer.aux_loss_enabled = False
    trainer.max_completion_length = MAX_COMPLETION_LENGTH
    for name, value in settings.items():
        setattr(trainer, name, value)
    return trainer


def last_metrics(trainer):
    return {name: values[-1] for name, values in trainer._metrics["train"].items()}


def generation_settings(rewards, mask_truncated, beta):
    """What `_generate_and_score_completions` reads of any trainer."""
    args = dict(
        steps_per_generation=3,
        gradient_accumulation_steps=1,
        per_device_train_batch_size=len(COMPLETIONS),
        gradient_checkpointing_kwargs=None,
        gradient_checkpointing=False,
    )
    return dict(
        mask_truncated_completions=mask_truncated,
        num_generations=N_GENERATIONS,
        num_iterations=1,
        beta=beta,
        ref_model="reference",
        reward_funcs=["reward"],
        reward_func_names=["reward"],
        reward_weights=torch.tensor([1.0]),
        reward_clip_range=None,
        pad_to_multiple_of=None,
        log_multimodal=False,
        _is_vlm=False,
        _pending_extra_logs=collections.defaultdict(list),
        _pending_metrics=collections.defaultdict(list),
        _logs=collections.defaultdict(list, rewards=collections.defaultdict(list)),
        args=types.SimpleNamespace(**args),
        _calculate_rewards=lambda *_: torch.tensor(rewards)[:, None],
    )


def generate_and_score(batch, tokens, case):
    """What TRL makes of the completions: masks, advantages, token count, and ratios where it corrects."""
    facts, mode = BATCHES[batch], case["vllm_importance_sampling_mode"]
    trainer = stub_trainer(
        GRPOTrainer,
        **generation_settings(REWARDS, facts["truncated"], 0.0),
        scale_rewards="group",
        multi_objective_aggregation="sum_then_normalize",
        environment_factories=None,
        environments=None,
        tools=[],
        use_vllm=mode is not None,
        vllm_importance_sampling_correction=mode is not None,
        vllm_importance_sampling_mode=mode,
        vllm_importance_sampling_clip_min=case["vllm_importance_sampling_clip_min"],
        vllm_importance_sampling_clip_max=case["vllm_importance_sampling_clip_max"],
    )
    sampling = None
    if mode is not None or case["off_policy_mask_threshold"] is not None:
        sampling = [row[: len(ids)].tolist() for row, ids in zip(tokens["sampling"], COMPLETIONS, strict=True)]
        for row, position in facts["missing"]:
            sampling[row][position] = None
    tool_masks = TOOL_MASKS if facts["tools"] else None
    texts, prompts = ["text"] * len(COMPLETIONS), [[WORD]] * len(COMPLETIONS)
    trainer._generate = lambda _: (prompts, COMPLETIONS, tool_masks, texts, sampling, {}, None, None)
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (tokens["old"], None, None)
    outputs = trainer._generate_and_score_completions([{"prompt": "p"}] * len(COMPLETIONS))
    return outputs, last_metrics(trainer)


def scores(generator):
    """Log-probs and entropies of every token, as f32 values in f64 tensors."""
    shape = (len(COMPLETIONS), max(map(len, COMPLETIONS)))

    def normal(scale):
        return torch.randn(shape, generator=generator) * scale

    current = -torch.rand(shape, generator=generator) * 3.0 - 0.1
    old = current + normal(0.35)
    # Sequences have moved as a whole too, so that their ratios leave the range on either side, under either sign.
    old += torch.tensor([-0.25, -0.5, 0.2, 0.1, -0.3, 0.25])[:, None]
    values = dict(
        logps=current,
        old=old,
        ref=current + normal(0.5),
        sampling=old + normal(0.2),
        entropies=torch.rand(shape, generator=generator) * 2.0,
    )
    return {name: value.float().double() for name, value in values.items()}


def loss_trainer(case):
    """A trainer of which `_compute_loss` reads what it needs."""
    names = ["delta", "use_bias_correction_kl", "steps_per_generation"]
    args = {name: case[name] for name in [*names, *(n for n in case if n.startswith(("sapo_", "vespo_")))]}
    corrects = case["vllm_importance_sampling_mode"] is not None
    kind = dict(grpo=GRPOTrainer, gmpo=GMPOTrainer)[case["algorithm"]]
    names = ["loss_type", "beta", "epsilon_low", "epsilon_high", "entropy_coef", "top_entropy_quantile"]
    names += ["importance_sampling_level", "off_policy_mask_threshold"]
    return stub_trainer(
        kind,
        **{name: case[name] for name in names},
        use_vllm=corrects,
        vllm_importance_sampling_correction=corrects,
        use_adaptive_entropy=False,
        _entropy_bonus_enabled=case["entropy_coef"] != 0.0,
        current_gradient_accumulation_steps=case["micro_batches"],
        args=types.SimpleNamespace(**args),
    )


def compute_loss(trainer, case, outputs, tokens, rows):
    """Loss and gradients of the micro-batch `rows`."""
    logps = tokens["logps"][rows].clone().requires_grad_()
    entropies = tokens["entropies"][rows].clone().requires_grad_()
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (logps, entropies, None)
    whole = ["num_items_in_batch"]
    inputs = {name: value if name in whole else value[rows] for name, value in outputs.items()}
    inputs.pop("old_per_token_logps", None)
    if not case["on_policy"]:
        inputs["old_per_token_logps"] = tokens["old"][rows]
    if case["beta"] != 0.0:
        inputs["ref_per_token_logps"] = tokens["ref"][rows]
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    d_entropy = torch.zeros_like(entropies) if entropies.grad is None else entropies.grad
    return loss.item(), logps.grad, d_entropy


def kept(batch):
    """The mask of sampled tokens, one list for each sequence."""
    return TOOL_MASKS if BATCHES[batch]["tools"] else [[1] * len(ids) for ids in COMPLETIONS]


def sampled(tensor, batch, gradient=False):
    """The tensor's values at the tokens that the policy sampled, one list for each sequence."""
    rows = []
    for values, keep in zip(tensor.tolist(), kept(batch), strict=True):
        keep = keep + [0] * (len(values) - len(keep))
        if gradient:
            assert all(k or value == 0 for value, k in zip(values, keep)), "a masked token has a gradient"
        rows.append([value for value, k in zip(values, keep) if k])
    return rows


def loss_case(tokens, batch, **changes):
    unknown = changes.keys() - DEFAULTS.keys()
    assert not unknown, unknown
    case = DEFAULTS | changes
    case["steps_per_generation"] = changes.get("steps_per_generation", case["micro_batches"])
    outputs, generated = generate_and_score(batch, tokens, case)
    trainer = loss_trainer(case)
    size = len(COMPLETIONS) // case["steps_per_generation"]
    total = 0.0
    d_logprob, d_entropy = torch.zeros_like(tokens["logps"]), torch.zeros_like(tokens["logps"])
    for index in range(case["micro_batches"]):
        rows = slice(index * size, (index + 1) * size)
        loss, d_logprob[rows], d_entropy[rows] = compute_loss(trainer, case, outputs, tokens, rows)
        total += loss
    shown = {name: value for name, value in case.items() if value != DEFAULTS[name]}
    result = dict(batch=batch, **shown, loss=total, d_logprob=sampled(d_logprob, batch, gradient=True))
    if case["entropy_coef"] != 0.0:
        result["d_entropy"] = sampled(d_entropy, batch, gradient=True)
    if "importance_sampling_ratio" in outputs:
        ratio = outputs["importance_sampling_ratio"]
        result["importance_sampling_ratio"] = (
            sampled(ratio, batch) if ratio.shape[1] > 1 else [[value] for value in ratio[:, 0].tolist()]
        )
    if case["steps_per_generation"] == 1:
        sampling = {name: value for name, value in generated.items() if name.startswith("sampling/")}
        result["metrics"] = last_metrics(trainer) | sampling
    return result


def widths(loss_type, level):
    """Clip ranges that both kinds of ratio leave."""
    if loss_type == "cispo":
        return dict(epsilon_high=1.3 if level == "token" else 1.1)
    return {} if level == "token" else dict(epsilon_low=0.1, epsilon_high=0.15)


def cases_of_loss(tokens, loss_type, level):
    base = dict(loss_type=loss_type, importance_sampling_level=level, **widths(loss_type, level))
    kl, kl_plain = dict(beta=0.04), dict(beta=0.04, use_bias_correction_kl=False)

    def add(batch, **changes):
        cases.append(loss_case(tokens, batch, **{**base, **changes}))

    cases = []
    add("plain", on_policy=True, **kl)
    add("tools_and_truncated")
    add("tools", **kl)
    add("truncated", **kl_plain)
    add("tools", top_entropy_quantile=0.4)
    add("plain", off_policy_mask_threshold=0.05, **kl)
    add("tools", entropy_coef=0.01, **kl)
    add("tools_and_truncated", micro_batches=2, entropy_coef=0.01, **kl)
    modes = TOKEN_MODES if loss_type == "vespo" else TOKEN_MODES + SEQUENCE_MODES
    for index, mode in enumerate(modes):
        limits = dict(vllm_importance_sampling_clip_max=1.25, vllm_importance_sampling_clip_min=[None, 0.75][index % 2])
        add(["plain", "tools"][index % 2], vllm_importance_sampling_mode=mode, **limits, **kl)
    if loss_type in CLIPPED:
        delta = 1.4 if level == "token" else 1.2
        add("tools", delta=delta, **kl)
        add("plain", delta=delta)
        # A delta that does nothing would prove nothing.
        without = loss_case(tokens, "plain", **base)
        assert cases[-1]["loss"] != without["loss"], (loss_type, level)
    if loss_type == "dapo":
        add("plain", steps_per_generation=2)
    mode = dict(vllm_importance_sampling_mode="token_truncate", vllm_importance_sampling_clip_max=1.2)
    add("unscored", top_entropy_quantile=0.7, off_policy_mask_threshold=0.1, entropy_coef=0.02, **mode, **kl)
    return cases


def cases_of_published_settings(tokens):
    """Ranges as their papers have them."""
    gspo = dict(importance_sampling_level="sequence", epsilon_low=3e-4, epsilon_high=4e-4)
    luspo = dict(loss_type="luspo", importance_sampling_level="sequence", epsilon_low=2e-3, epsilon_high=2.5e-3)
    return [
        loss_case(tokens, "plain", **gspo),
        loss_case(tokens, "tools", beta=0.001, **gspo),
        loss_case(tokens, "tools_and_truncated", **luspo),
        loss_case(tokens, "plain", loss_type="cispo", epsilon_high=5.0),
        loss_case(tokens, "tools", loss_type="dapo", delta=4.0),
        loss_case(tokens, "plain", loss_type="sapo", sapo_temperature_pos=0.5, sapo_temperature_neg=2.0),
        loss_case(tokens, "plain", loss_type="vespo", vespo_k_pos=1.0, vespo_lambda_pos=1.5),
    ]


def cases_of_gmpo(tokens):
    gmpo = dict(algorithm="gmpo", epsilon_low=0.4, epsilon_high=0.4)
    narrow = dict(algorithm="gmpo", epsilon_low=0.15, epsilon_high=0.15)
    return [
        loss_case(tokens, "plain", on_policy=True, **gmpo),
        loss_case(tokens, "plain", **gmpo),
        loss_case(tokens, "tools", **narrow),
        loss_case(tokens, "tools_and_truncated", beta=0.04, **gmpo),
        loss_case(tokens, "truncated", beta=0.04, top_entropy_quantile=0.5, **narrow),
        loss_case(tokens, "tools", micro_batches=2, **narrow),
    ]


def adaptive_entropy(tokens):
    """Four optimiser steps under one controller; the entropy is scaled to fall below its target and rise again."""
    case = DEFAULTS | dict(entropy_coef=0.01)
    trainer = loss_trainer(case)
    trainer.use_adaptive_entropy, trainer._last_world_entropy, trainer._entropy_window_stats = True, math.inf, None
    limits = dict(entropy_target=0.9, entropy_coef_delta=0.005, entropy_coef_min=0.0, entropy_coef_max=0.02)
    for name, value in limits.items():
        setattr(trainer.args, name, value)
    steps = []
    for batch, scale in [("plain", 0.5), ("tools", 0.5), ("plain", 0.75), ("plain", 2.0), ("tools", 2.0)]:
        scaled = tokens | dict(entropies=tokens["entropies"] * scale)
        outputs, _ = generate_and_score(batch, scaled, case)
        rows = slice(0, len(COMPLETIONS))
        loss, _, d_entropy = compute_loss(trainer, case, outputs, scaled, rows)
        step = dict(batch=batch, entropy_scale=scale, loss=loss, d_entropy=sampled(d_entropy, batch, gradient=True))
        steps.append(step | dict(entropy_coef=trainer.entropy_coef, entropy=trainer._last_world_entropy))
    return limits | dict(entropy_coef=case["entropy_coef"], steps=steps)


def rloo_case(tokens, name, beta=0.0, normalize=False, mask_truncated=False):
    widths = dict(epsilon_low=0.5, epsilon_high=0.7)
    trainer = stub_trainer(
        RLOOTrainer,
        **generation_settings(RLOO_REWARDS[name], mask_truncated, beta),
        normalize_advantages=normalize,
        **widths,
    )
    trainer._generate = lambda _: ([[WORD]] * len(COMPLETIONS), COMPLETIONS, ["text"] * len(COMPLETIONS))
    trainer._get_per_token_logps_and_entropies = lambda model, *_, **__: (
        tokens["ref" if model == "reference" else "old"],
        None,
        None,
    )
    outputs = trainer._generate_and_score_completions([{"prompt": "p"}] * len(COMPLETIONS))
    logps = tokens["logps"].clone().requires_grad_()
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (logps, tokens["entropies"], None)
    loss = trainer._compute_loss(trainer.model, outputs)
    loss.backward()
    return dict(
        batch="truncated" if mask_truncated else "plain",
        rewards=RLOO_REWARDS[name],
        beta=beta,
        normalize=normalize,
        **widths,
        advantages=outputs["advantages"].tolist(),
        loss=loss.item(),
        d_logprob=sampled(logps.grad, "plain", gradient=True),
        metrics=last_metrics(trainer),
    )


def written(value):
    """As JSON has it: NaN is null, results have 12 digits."""
    if isinstance(value, dict):
        return {name: written(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [written(inner) for inner in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.12g}")
    return value


def batch_facts(tokens, batch):
    facts = BATCHES[batch]
    outputs, _ = generate_and_score(batch, tokens, DEFAULTS)
    values = {name: sampled(tokens[name], batch) for name in ["logps", "old", "ref", "sampling", "entropies"]}
    for row, position in facts["missing"]:
        values["sampling"][row][position] = None
    return dict(
        mask_truncated=facts["truncated"],
        truncated=[ids[-1] != EOS for ids in COMPLETIONS],
        rewards=REWARDS,
        advantages=outputs["advantages"].tolist(),
        n_tokens=outputs["num_items_in_batch"].item(),
        **values,
    )


def check(cases):
    """Every range is left somewhere, on both sides, or a clip that does nothing would pass."""
    for loss_type, level in LOSSES:
        named = [("loss_type", loss_type), ("importance_sampling_level", level)]
        own = [c for c in cases if "metrics" in c and all(c.get(k, DEFAULTS[k]) == value for k, value in named)]
        own = [c["metrics"] for c in own if c.get("epsilon_low", 1.0) > 0.01]
        names = ["clip_ratio/low_mean", "clip_ratio/high_mean"] if loss_type in CLIPPED else []
        names += ["cispo_clip_ratio"] if loss_type == "cispo" else []
        for name in names:
            assert any(metrics[name] > 0 for metrics in own), (loss_type, level, name)


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    assert trl.__version__ == "1.16.0", trl.__version__
    tokens = scores(torch.Generator().manual_seed(SEED))
    cases = [case for loss_type, level in LOSSES for case in cases_of_loss(tokens, loss_type, level)]
    cases += cases_of_published_settings(tokens) + cases_of_gmpo(tokens)
    check(cases)
    rloo = [
        rloo_case(tokens, "scored"),
        rloo_case(tokens, "scored", beta=0.05),
        rloo_case(tokens, "scored", beta=0.05, normalize=True),
        rloo_case(tokens, "one_unscorable", beta=0.05, mask_truncated=True),
        rloo_case(tokens, "one_unscorable", normalize=True),
        rloo_case(tokens, "one_scorable_in_group"),
    ]
    golden = dict(
        versions=dict(trl=trl.__version__, torch=torch.__version__),
        seed=SEED,
        max_completion_length=MAX_COMPLETION_LENGTH,
        n_generations=N_GENERATIONS,
        defaults=DEFAULTS,
        cases=written(cases),
        adaptive_entropy=written(adaptive_entropy(tokens)),
        rloo=written(rloo),
        batches={batch: batch_facts(tokens, batch) for batch in BATCHES},
    )
    text = json.dumps(golden, allow_nan=False)
    OUT.write_text(text.replace('}, {"batch"', '},\n{"batch"').replace('"batches": ', '\n"batches": ') + "\n")


if __name__ == "__main__":
    main()
