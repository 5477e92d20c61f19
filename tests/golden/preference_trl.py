"""Golden losses and gradients of preference training, computed by TRL's own trainers.

Versions: trl 1.16.0, torch 2.15.0 (f64, one thread; alpha divergence in f32, the only type TRL has it for). Seed: 11.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/preference_trl.py
Writes tests/golden/preference_trl.json.

No model is run. Trainers are made without their constructors and get functions in place of models:

- DPOTrainer and KTOTrainer read per-token log-probs, which are handed over as leaves.
- CPOTrainer and ORPOTrainer (trl.experimental) read logits. They get the two logits (l, log(1 - exp(l))) of a
  vocabulary of two, whose log-softmax is themselves, so l is the log-prob of the token and d loss / dl its gradient.
- RewardTrainer reads scores.

A prompt is one token, which nothing predicts; so ORPO's likelihood of prompt and completion is that of the completion.
In the file a completion is the list of its tokens' numbers; padding is left out, after the script has asserted that its
gradient is zero. Inputs are f32 values printed exactly, gradients have ten digits.
"""

import collections
import itertools
import json
import os
import pathlib
import types

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
import torch
import trl
from trl.experimental.cpo.cpo_config import CPOConfig
from trl.experimental.cpo.cpo_trainer import CPOTrainer
from trl.experimental.orpo.orpo_trainer import ORPOTrainer
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.kto_trainer import KTOTrainer
from trl.trainer.reward_trainer import RewardTrainer

SEED = 11
OUT = pathlib.Path(__file__).with_suffix(".json")
KINDS = ["logprobs", "reference", "log_sum_sq_probs"]

# Tokens of the chosen and of the rejected completion of each pair.
LENGTHS = {"mixed": [(2, 4), (5, 1), (3, 3), (1, 6)], "far": [(2, 1), (1, 2), (3, 3)]}
# Tokens of each completion that is judged alone, whether it is desirable, and tokens of its mismatched completion.
UNPAIRED = {
    "both": [(3, True, 2), (1, False, 3), (4, True, 1), (2, False, 4), (5, False, 2)],
    "desirable_only": [(3, True, 2), (1, True, 3)],
    "undesirable_only": [(3, False, 2), (1, False, 3)],
    "far": [(2, True, 1), (2, False, 2)],
    # The policy is below the reference on the mismatched completions, so the KL point is bounded by 0.
    "bounded": [(2, True, 2), (2, False, 2)],
}

ALL = ["sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired"]
ALL += ["apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm"]
SMOOTHED = ["exo_pair", "robust", "aot", "aot_unpaired"]
WITH_DIVERGENCE = ["sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "robust", "discopop", "sft"]
# sft with weights ends in an error: TRL multiplies in place. So does the backward pass of hinge, which has a value only.
WEIGHTED = [name for name in ALL if name not in ("aot", "aot_unpaired", "sft")]
DIVERGENCES = [("forward_kl", 0.5), ("js_divergence", 0.5), ("alpha_divergence", 0.5), ("alpha_divergence", 2.0)]
DIVERGENCES += [("alpha_divergence", 1.0)]


class Accelerator:
    """One process."""

    device = torch.device("cpu")

    def gather(self, tensor):
        return tensor

    def gather_for_metrics(self, tensor):
        return tensor


def stub(kind, **settings):
    """A trainer with these attributes and no others."""
    trainer = kind.__new__(kind)
    trainer.accelerator = Accelerator()
    trainer.model = torch.nn.Module()
    trainer.model.is_gradient_checkpointing = False
    trainer._metrics = {"train": collections.defaultdict(list)}
    trainer._total_train_tokens, trainer._tp_size = 0, 1
    trainer.aux_loss_enabled = False
    for name, value in settings.items():
        setattr(trainer, name, value)
    return trainer


def completion(generator, length, far=False):
    """Log-probs, reference log-probs and log sum p^2 of `length` tokens."""
    current = -torch.rand(length, generator=generator) * 2.5 - 0.05
    reference = current - torch.randn(length, generator=generator) * 0.4
    if far:
        current = torch.where(torch.rand(length, generator=generator) < 0.6, torch.tensor(-50.0), current)
    reference = reference.clamp(max=-0.01)
    log_sum_sq_probs = -torch.rand(length, generator=generator) * 2.0
    return dict(zip(KINDS, [current, reference, log_sum_sq_probs], strict=True))


def padded(rows, dtype):
    """Rows of numbers as one tensor, zero behind them, and its mask."""
    width = max(len(row) for row in rows)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return torch.stack([torch.cat([row, row.new_zeros(width - len(row))]) for row in rows]).to(dtype), mask


def with_prompt(mask):
    """The mask of prompt and completion, and of the completion alone: one prompt token before it."""
    first = mask.new_ones(len(mask), 1)
    return torch.cat([first, mask], 1), torch.cat([first * 0, mask], 1)


def unpadded(gradient, mask):
    """The gradient by completion, ten digits."""
    gradient = torch.zeros(mask.shape) if gradient is None else gradient
    assert (gradient * (1 - mask) == 0).all(), "padding has a gradient"
    lengths = mask.sum(1).tolist()
    return [[float(f"{x:.10g}") for x in row[:n]] for row, n in zip(gradient.tolist(), lengths, strict=True)]


def paired(gradients):
    """[chosen, rejected] of each pair."""
    half = len(gradients) // 2
    return [list(both) for both in zip(gradients[:half], gradients[half:], strict=True)]


def statistics(metrics):
    names = ["rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "kl"]
    return {name: metrics[name][-1] for name in names if name in metrics}


def scores_of(log_probs, log_sum_sq_probs=None):
    """What a model with TRL's fused head returns."""
    zeros = torch.zeros_like(log_probs)
    outputs = dict(log_probs=log_probs, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool())
    return types.SimpleNamespace(**outputs, log_sum_sq_probs=log_sum_sq_probs)


def dpo_case(
    batch,
    pairs,
    losses,
    weights=None,
    beta=0.1,
    label_smoothing=0.0,
    divergence="reverse_kl",
    alpha=0.5,
    ld_alpha=None,
    use_weighting=False,
    tau=0.05,
):
    dtype = torch.float32 if divergence == "alpha_divergence" else torch.float64
    completions = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
    arrays = {kind: padded([entry[kind] for entry in completions], dtype) for kind in KINDS}
    (current, mask), (reference, _), (log_sum_sq_probs, _) = (arrays[kind] for kind in KINDS)
    leaf = current.clone().requires_grad_()
    trainer = stub(
        DPOTrainer,
        beta=beta,
        loss_types=losses,
        loss_weights=weights or [1.0] * len(losses),
        label_smoothing=label_smoothing,
        f_divergence_type=divergence,
        f_alpha_divergence_coef=alpha,
        ld_alpha=ld_alpha,
        use_weighting=use_weighting,
        precompute_ref_logps=False,
        ref_model=lambda **_: scores_of(reference),
        args=types.SimpleNamespace(discopop_tau=tau, gradient_checkpointing_kwargs=None),
    )
    attention_mask, completion_mask = with_prompt(mask)
    inputs = dict(input_ids=attention_mask, attention_mask=attention_mask, completion_mask=completion_mask)
    loss = trainer._compute_loss(lambda **_: scores_of(leaf * mask, log_sum_sq_probs), inputs, False)
    has_gradient = not (use_weighting and "hinge" in losses)
    if has_gradient:
        loss.backward()
    return dict(
        batch=batch,
        losses=losses,
        weights=trainer.loss_weights,
        beta=beta,
        label_smoothing=label_smoothing,
        divergence=divergence,
        alpha=alpha,
        ld_alpha=ld_alpha,
        use_weighting=use_weighting,
        tau=tau,
        loss=loss.item(),
        gradients=paired(unpadded(leaf.grad, mask)) if has_gradient else None,
        statistics=statistics(trainer._metrics["train"]),
    )


def dpo_cases(batches):
    def case(batch, losses, **settings):
        losses = [losses] if isinstance(losses, str) else losses
        if "exo_pair" in losses:
            settings = {"label_smoothing": 0.1, **settings}
        return dpo_case(batch, batches[batch], losses, **settings)

    cases = [case(batch, loss, beta=beta) for batch, loss, beta in itertools.product(batches, ALL, [0.1, 0.5])]
    for loss, smoothing, beta in itertools.product(SMOOTHED, [0.001, 0.3], [0.1, 0.5]):
        cases.append(case("mixed", loss, label_smoothing=smoothing, beta=beta))
    for loss, (divergence, alpha), beta in itertools.product(WITH_DIVERGENCE, DIVERGENCES, [0.1, 0.5]):
        cases.append(case("mixed", loss, divergence=divergence, alpha=alpha, beta=beta))
    for loss, ld_alpha in itertools.product(ALL, [0.0, 0.6]):
        cases.append(case("mixed", loss, ld_alpha=ld_alpha))
    cases += [case(batch, loss, use_weighting=True) for batch, loss in itertools.product(batches, WEIGHTED)]
    cases += [case("mixed", "discopop", tau=tau, beta=0.5) for tau in [0.02, 0.5, 2.0]]
    cases.append(case("mixed", ["sigmoid", "bco_pair", "sft"], weights=[0.8, 0.2, 1.0]))
    cases.append(case("mixed", ["hinge", "ipo", "aot"], weights=[0.5, 0.25, 2.0], label_smoothing=0.1))
    cases.append(case("mixed", ["sigmoid_norm", "sft", "ipo"], divergence="js_divergence", ld_alpha=0.3))
    cases.append(case("mixed", ["sigmoid", "nca_pair"], weights=[1.0, 0.5], use_weighting=True, ld_alpha=0.3))
    return cases


def kto_case(batch, examples, loss_type, beta, desirable_weight=1.0, undesirable_weight=1.0):
    currents, masks = {}, {}
    references = {}
    for name in ["completion", "probe"]:
        entries = [example[name] for example in examples]
        currents[name], masks[name] = padded([entry["logprobs"] for entry in entries], torch.float64)
        references[name], _ = padded([entry["reference"] for entry in entries], torch.float64)
    leaves = {name: current.clone().requires_grad_() for name, current in currents.items()}

    def model(tensors):
        # The mismatched completions carry token 9 in front.
        def run(input_ids, **_):
            name = "probe" if input_ids[0, 0] == 9 else "completion"
            return scores_of(tensors[name] * masks[name])

        return run

    trainer = stub(
        KTOTrainer,
        beta=beta,
        loss_type=loss_type,
        desirable_weight=desirable_weight,
        undesirable_weight=undesirable_weight,
        calculate_KL=loss_type == "kto",
        precompute_ref_logps=False,
        ref_model=model(references),
        args=types.SimpleNamespace(gradient_checkpointing_kwargs=None),
    )
    attention_mask, completion_mask = with_prompt(masks["completion"])
    kl_attention_mask, kl_completion_mask = with_prompt(masks["probe"])
    inputs = dict(
        label=torch.tensor([example["desirable"] for example in examples]),
        input_ids=attention_mask,
        attention_mask=attention_mask,
        completion_mask=completion_mask,
        KL_input_ids=kl_attention_mask * 9,
        KL_attention_mask=kl_attention_mask,
        KL_completion_mask=kl_completion_mask,
    )
    loss = trainer._compute_loss(model(leaves), inputs, False)
    loss.backward()
    assert leaves["probe"].grad is None, "the KL point has a gradient"
    return dict(
        batch=batch,
        loss_type=loss_type,
        beta=beta,
        desirable_weight=desirable_weight,
        undesirable_weight=undesirable_weight,
        loss=loss.item(),
        gradients=unpadded(leaves["completion"].grad, masks["completion"]),
        statistics=statistics(trainer._metrics["train"]),
    )


def two_logits(logprobs):
    """Logits whose log-softmax is themselves: the token's log-prob and that of the only other token."""
    return torch.stack([logprobs, torch.log(-torch.expm1(logprobs))], -1)


def without_reference(pairs, trainer):
    """Loss, gradients and statistics of a trainer that reads logits."""
    sides = {}
    for index, side in enumerate(["chosen", "rejected"]):
        current, mask = padded([pair[index]["logprobs"] for pair in pairs], torch.float64)
        sides[side] = (torch.where(mask == 1, current, torch.tensor(-1.0)).requires_grad_(), mask)
    batch = {}
    for side, (_, mask) in sides.items():
        attention_mask, completion_mask = with_prompt(mask)
        batch[f"{side}_input_ids"] = torch.where(attention_mask == 1, 0, 1)
        batch[f"{side}_attention_mask"] = attention_mask
        batch[f"{side}_labels"] = torch.where(completion_mask == 1, 0, -100)
    width = max(leaf.shape[1] for leaf, _ in sides.values())

    def model(input_ids, **_):
        rows = [torch.nn.functional.pad(leaf, (0, width - leaf.shape[1]), value=-1.0) for leaf, _ in sides.values()]
        logits = two_logits(torch.cat(rows))
        last = torch.zeros_like(logits[:, :1])  # predicts what comes behind the sequence
        return types.SimpleNamespace(logits=torch.cat([logits, last], 1))

    loss, metrics = trainer.get_batch_loss_metrics(model, batch)
    loss.backward()
    gradients = [unpadded(leaf.grad, mask) for leaf, mask in sides.values()]
    names = ["rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies"]
    names += ["nll_loss", "log_odds_ratio", "log_odds_chosen"]
    return dict(
        loss=loss.item(),
        gradients=[list(both) for both in zip(*gradients, strict=True)],
        statistics={name: metrics[name] for name in names if name in metrics},
    )


def cpo_case(batch, pairs, name, beta=0.1, label_smoothing=0.0, cpo_alpha=1.0, gamma=0.5, alpha=0.0):
    config = types.SimpleNamespace(loss_type=name, cpo_alpha=cpo_alpha)
    if name == "alphapo":  # what CPOConfig makes of it
        made = CPOConfig(loss_type=name, output_dir="unused", bf16=False, use_cpu=True, report_to="none")
        config = types.SimpleNamespace(loss_type=made.loss_type, cpo_alpha=made.cpo_alpha)
    settings = dict(beta=beta, label_smoothing=label_smoothing, simpo_gamma=gamma, alpha=alpha)
    trainer = stub(
        CPOTrainer,
        loss_type=config.loss_type,
        cpo_alpha=config.cpo_alpha,
        is_encoder_decoder=False,
        pad_token_id=1,
        **settings,
    )
    case = dict(batch=batch, loss_type=name, cpo_alpha=config.cpo_alpha, **settings)
    return case | without_reference(pairs, trainer)


def cpo_cases(batches):
    names = ["sigmoid", "hinge", "ipo", "simpo"]
    cases = []
    for name, beta, cpo_alpha in itertools.product(names, [0.1, 2.5], [0.0, 1.0]):
        cases.append(cpo_case("mixed", batches["mixed"], name, beta=beta, cpo_alpha=cpo_alpha))
    for name, beta in itertools.product(["sigmoid", "simpo"], [0.1, 2.5]):
        cases.append(cpo_case("mixed", batches["mixed"], name, beta=beta, label_smoothing=0.1, gamma=1.375))
    for name, alpha in itertools.product(names, [0.25, -0.5]):
        cases.append(cpo_case("mixed", batches["mixed"], name, alpha=alpha))
    cases.append(cpo_case("mixed", batches["mixed"], "alphapo", beta=2.5, gamma=1.375, alpha=0.1))
    cases += [cpo_case("far", batches["far"], name) for name in names]
    return cases


def orpo_case(batch, pairs, beta):
    trainer = stub(ORPOTrainer, beta=beta, is_encoder_decoder=False, padding_value=1)
    return dict(batch=batch, beta=beta, **without_reference(pairs, trainer))


def reward_case(chosen, rejected, margins, center):
    scores = torch.tensor(chosen + rejected).requires_grad_()
    trainer = stub(RewardTrainer, args=types.SimpleNamespace(center_rewards_coefficient=center))
    inputs = dict(attention_mask=torch.ones(len(scores), 2))
    if margins:
        inputs["margin"] = torch.tensor(margins)
    model = lambda **_: types.SimpleNamespace(logits=scores[:, None])  # noqa: E731
    loss = trainer.compute_loss(model, inputs)
    loss.backward()
    metrics = trainer._metrics["train"]
    gradients = [float(f"{x:.10g}") for x in scores.grad.tolist()]
    return dict(
        chosen=chosen,
        rejected=rejected,
        margins=margins,
        center=center,
        loss=loss.item(),
        d_chosen=gradients[: len(chosen)],
        d_rejected=gradients[len(chosen) :],
        statistics={name: metrics[name][-1] for name in ["accuracy", "margin", "min_reward", "mean_reward", "max_reward"]},
    )


def plain(value):
    """Tensors as lists."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value.tolist() if isinstance(value, torch.Tensor) else value


def inputs(generator):
    pairs = {
        name: [[completion(generator, length, name == "far") for length in pair] for pair in lengths]
        for name, lengths in LENGTHS.items()
    }
    # A pair in which both completions are the same; no other has its log-ratio, so the order of a sort is no matter.
    same = completion(generator, 2)
    pairs["far"].append([same, same])
    unpaired = {}
    for name, rows in UNPAIRED.items():
        unpaired[name] = [
            dict(
                completion=completion(generator, length, name == "far"),
                desirable=desirable,
                probe=completion(generator, probe),
            )
            for length, desirable, probe in rows
        ]
    for example in unpaired["bounded"]:
        example["probe"]["reference"] = example["probe"]["logprobs"] + 0.03
    return pairs, unpaired


def main():
    assert trl.__version__ == "1.16.0", trl.__version__
    torch.set_num_threads(1)
    pairs, unpaired = inputs(torch.Generator().manual_seed(SEED))
    torch.set_default_dtype(torch.float64)
    kto = []
    for (name, examples), loss_type in itertools.product(unpaired.items(), ["kto", "apo_zero_unpaired"]):
        kto += [kto_case(name, examples, loss_type, beta) for beta in [0.1, 0.5]]
        kto.append(kto_case(name, examples, loss_type, 0.1, desirable_weight=1.33, undesirable_weight=0.8))
    chosen, rejected, margins = [1.25, -0.5, 3.0, 40.0], [0.25, 0.75, -2.0, -30.0], [1.0, 0.625, 0.25, 0.0]
    golden = dict(
        versions=dict(trl=trl.__version__, torch=torch.__version__),
        seed=SEED,
        pairs=plain(pairs),
        unpaired=plain(unpaired),
        dpo=dpo_cases(pairs),
        kto=kto,
        cpo=cpo_cases(pairs),
        orpo=[orpo_case(name, pairs[name], beta) for name, beta in itertools.product(pairs, [0.1, 1.0])],
        reward=[
            reward_case(chosen, rejected, with_margins, center)
            for with_margins, center in itertools.product([[], margins], [None, 0.01])
        ],
    )
    text = json.dumps(golden, allow_nan=False)
    for first_key in ["batch", "chosen"]:  # one case a line
        text = text.replace('}, {"%s"' % first_key, '},\n{"%s"' % first_key)
    OUT.write_text(text + "\n")


if __name__ == "__main__":
    main()
