"""Golden optimiser steps of a small model under TRL's own trainers: GRPO, DAPO, GSPO and DPO.

Versions: trl 1.16.0, torch 2.15.0, transformers 5.23.0 (f32, one thread). Seed: 5.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/steps_trl.py
Writes tests/golden/steps/ (config.json and model.safetensors of a random llama) and tests/golden/steps_trl.json.

Each case is a real `GRPOTrainer.train()` or `DPOTrainer.train()` of three optimiser steps from that model. Completions
are fixed in place of generated ones, rewards are read from a table, everything else is TRL's. The optimiser is torch's
AdamW; norms and the embedding are not decayed, all other matrices are. The three steps of the online cases reuse one
rollout batch, so old log-probs, clipping and the reference matter from the second step on.

Layout. `samples`: the tensors' entries that are shown, as flat indices. `rollouts`: for each of two groups of four
completions `prompt`, `completion` (token ids, the end token included), `reward`; a completion that does not end in
`eos` was cut off. `pairs`: `prompt`, `chosen`, `rejected`. `cases.<name>`: `settings` of the optimiser and of the
method; `old` (online cases: log-prob of each completion token at the temperature before the first step); for each step
`loss`, `grad_norm` (before clipping) and TRL's `metrics`; and `tensors.<name in the checkpoint>`: `norm` and `values`
after the last step, `moved_norm` and `moved` the same of the difference from the start.
"""

import copy
import json
import tempfile

import tools  # first: it sets the environment variables that torch reads
import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer

SEED = 5
PAD, EOS, VOCAB = 0, 1, 61
N_STEPS = 3
N_GENERATIONS = 4
FOLDER = tools.HERE / "steps"
CONFIG = dict(
    hidden_size=32,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=44,
    num_hidden_layers=2,
    vocab_size=VOCAB,
    max_position_embeddings=64,
    bos_token_id=None,
    eos_token_id=EOS,
    pad_token_id=PAD,
)
OPTIMISER = dict(learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.1, max_grad_norm=0.5)
# What a case changes of GRPOConfig or DPOConfig. A whole batch is one optimiser step.
ONLINE = dict(
    loss_type="grpo",
    importance_sampling_level="token",
    scale_rewards="group",
    beta=0.0,
    epsilon=0.2,
    epsilon_high=0.2,
    temperature=1.0,
    mask_truncated_completions=False,
)
CASES = {
    "grpo": ("online", OPTIMISER, ONLINE | dict(beta=0.04, epsilon=0.2, epsilon_high=0.2)),
    "dapo": (
        "online",
        OPTIMISER | dict(max_grad_norm=2.0, beta2=0.95),
        ONLINE
        | dict(loss_type="dapo", epsilon=0.2, epsilon_high=0.28, temperature=0.8, mask_truncated_completions=True),
    ),
    "gspo": (
        "online",
        OPTIMISER | dict(learning_rate=1e-4),
        ONLINE | dict(importance_sampling_level="sequence", epsilon=3e-2, epsilon_high=4e-2),
    ),
    "dpo": ("pairs", OPTIMISER | dict(max_grad_norm=1.0), dict(beta=0.1, loss_type="sigmoid")),
}


def build():
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**CONFIG))
    tools.randomise(model, torch.Generator().manual_seed(SEED), gemma=False)
    with torch.no_grad():
        # Softer outputs: with sharp ones a step moves most ratios out of every range.
        model.lm_head.weight.mul_(0.5)
    return model


def tokenizer():
    """Each id is a word of its own, t0 to t60."""
    words = {f"t{index}": index for index in range(VOCAB)}
    plain = Tokenizer(models.WordLevel(words, unk_token="t2"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=plain, pad_token=f"t{PAD}", eos_token=f"t{EOS}")


def words(ids):
    return " ".join(f"t{index}" for index in ids)


def random_ids(length, generator):
    return torch.randint(2, VOCAB, (length,), generator=generator).tolist()


def rollouts(generator):
    """Two groups; in each one completion has no end."""
    lengths = [[5, 1, 7, 3], [2, 9, 6, 4]]
    rewards = [[1.0, 0.0, 0.25, 0.5], [0.0, 1.0, -0.5, 0.75]]
    groups = []
    for prompt_length, group_lengths, group_rewards in zip([4, 7], lengths, rewards, strict=True):
        prompt = random_ids(prompt_length, generator)
        group = []
        for index, (length, reward) in enumerate(zip(group_lengths, group_rewards, strict=True)):
            completion = random_ids(length, generator) + ([] if index == 2 else [EOS])
            group.append(dict(prompt=prompt, completion=completion, reward=reward))
        groups.append(group)
    return groups


def pairs(generator):
    def pair(prompt, chosen, rejected):
        return dict(
            prompt=random_ids(prompt, generator),
            chosen=random_ids(chosen, generator) + [EOS],
            rejected=random_ids(rejected, generator) + [EOS],
        )

    return [pair(3, 5, 2), pair(6, 1, 8), pair(2, 4, 4), pair(5, 7, 3)]


def optimiser(model, settings):
    def decays(name):
        return not any(part in name for part in ["norm", "bias", "embed_tokens"])

    named = list(model.named_parameters())
    groups = [
        {"params": [p for name, p in named if decays(name)], "weight_decay": settings["weight_decay"]},
        {"params": [p for name, p in named if not decays(name)], "weight_decay": 0.0},
    ]
    betas = (settings["beta1"], settings["beta2"])
    return torch.optim.AdamW(groups, lr=settings["learning_rate"], betas=betas, eps=settings["eps"], foreach=False)


def shared_arguments(folder, settings, batch_size):
    return dict(
        output_dir=folder,
        max_steps=N_STEPS,
        per_device_train_batch_size=batch_size,
        gradient_accumulation_steps=1,
        max_grad_norm=settings["max_grad_norm"],
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        seed=SEED,
    )


def record(trainer):
    """Has the trainer note loss, gradient norm and metrics of each step."""
    steps = []
    compute_loss, clip = trainer.compute_loss, trainer.accelerator.clip_grad_norm_

    def recording_loss(*args, **kwargs):
        loss = compute_loss(*args, **kwargs)
        metrics = {name: values[-1] for name, values in trainer._metrics["train"].items() if values}
        kept = {n: v for n, v in metrics.items() if n.startswith(("clip_ratio/", "kl", "entropy", "rewards/", "logps/"))}
        steps.append(dict(loss=loss.item(), metrics=kept))
        return loss

    def recording_clip(*args, **kwargs):
        norm = clip(*args, **kwargs)
        steps[-1]["grad_norm"] = float(norm)
        return norm

    trainer.compute_loss, trainer.accelerator.clip_grad_norm_ = recording_loss, recording_clip
    return steps


def online_trainer(model, folder, settings, method, groups):
    flat = [rollout for group in groups for rollout in group]
    rewards = {tuple(rollout["completion"]): rollout["reward"] for rollout in flat}
    prompts = [rollout["prompt"] for rollout in flat]
    completions = [rollout["completion"] for rollout in flat]
    config = GRPOConfig(
        **shared_arguments(folder, settings, len(flat)),
        **method,
        num_generations=N_GENERATIONS,
        num_iterations=N_STEPS,
        steps_per_generation=1,
        max_completion_length=16,
        shuffle_dataset=False,
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=lambda completion_ids, **_: [rewards[tuple(ids)] for ids in completion_ids],
        args=config,
        train_dataset=Dataset.from_list([{"prompt": words(group[0]["prompt"])} for group in groups]),
        processing_class=tokenizer(),
        optimizers=optimisers(model, settings),
    )
    texts = [words(ids) for ids in completions]

    def generate(asked):
        assert asked == [words(prompt) for prompt in prompts], "another order of prompts"
        return prompts, completions, None, texts, None, {}, None, None

    trainer._generate = generate
    if trainer.ref_model is not None:
        # TRL loads it by its path; this one is the model before its first step.
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), trainer.ref_model.parameters()))
    return trainer


def pair_trainer(model, folder, settings, method, all_pairs):
    config = DPOConfig(**shared_arguments(folder, settings, len(all_pairs)), **method)
    texts = [{name: words(ids) for name, ids in pair.items()} for pair in all_pairs]
    trainer = DPOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        args=config,
        train_dataset=Dataset.from_list(texts),
        processing_class=tokenizer(),
        optimizers=optimisers(model, settings),
    )
    ids = [{f"{name}_ids": ids for name, ids in pair.items()} for pair in all_pairs]
    trainer.train_dataset = Dataset.from_list(ids)
    return trainer


def optimisers(model, settings):
    optimizer = optimiser(model, settings)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)


def old_logprobs(model, groups, temperature):
    """Log-prob of each completion token, each sequence alone; TRL computes its own."""
    found = []
    for rollout in (rollout for group in groups for rollout in group):
        prompt, completion = rollout["prompt"], rollout["completion"]
        with torch.no_grad():
            logits = tools.logits_of(model, torch.tensor(prompt + completion))[len(prompt) - 1 : -1] / temperature
        log_p = torch.log_softmax(logits, dim=-1)
        found.append(log_p.gather(1, torch.tensor(completion)[:, None])[:, 0].tolist())
    return found


def run(name, inputs, attention="eager"):
    kind, settings, method = CASES[name]
    model = transformers.AutoModelForCausalLM.from_pretrained(
        FOLDER, dtype=torch.float32, attn_implementation=attention
    )
    start = {parameter: value.detach().clone() for parameter, value in model.named_parameters()}
    case = dict(kind=kind, settings=settings | method)
    if kind == "online":
        case["old"] = old_logprobs(model, inputs["rollouts"], method["temperature"])
    with tempfile.TemporaryDirectory() as folder:
        build_trainer, data = {
            "online": (online_trainer, inputs["rollouts"]),
            "pairs": (pair_trainer, inputs["pairs"]),
        }[kind]
        trainer = build_trainer(model, folder, settings, method, data)
        case["steps"] = record(trainer)
        trainer.train()
    assert len(case["steps"]) == N_STEPS
    case["tensors"] = {
        parameter: dict(
            norm=value.norm().item(),
            values=sampled(value),
            moved_norm=(value - start[parameter]).norm().item(),
            moved=sampled(value - start[parameter]),
        )
        for parameter, value in model.named_parameters()
    }
    return case


def samples(n):
    """Eight flat indices of a tensor of `n` entries, from the first to the last."""
    return [index * (n - 1) // 7 for index in range(8)]


def sampled(tensor):
    flat = tensor.detach().flatten()
    return [flat[index].item() for index in samples(flat.numel())]


def check(name, case, again):
    """The same numbers by another attention kernel, and clipping that is felt."""
    for one, two in zip(case["steps"], again["steps"], strict=True):
        assert abs(one["loss"] - two["loss"]) < 1e-5, (name, one, two)
    worst = max(
        abs(a - b) / (case["tensors"][tensor]["moved_norm"] + 1e-12)
        for tensor in case["tensors"]
        for a, b in zip(case["tensors"][tensor]["moved"], again["tensors"][tensor]["moved"], strict=True)
    )
    print(f"{name}: losses {[step['loss'] for step in case['steps']]}, kernels differ by {worst:.1e} of a move")
    if case["kind"] == "online":
        clipped = [step["metrics"]["clip_ratio/region_mean"] for step in case["steps"]]
        print(f"  clipped {clipped}, norms {[step['grad_norm'] for step in case['steps']]}")
        assert clipped[0] == 0.0 and 0.0 < clipped[-1] < 0.9, (name, clipped)


def main():
    versions = tools.prepare() | dict(trl=trl.__version__)
    assert versions["trl"] == "1.16.0", versions
    transformers.set_seed(SEED)
    model = build()
    model.save_pretrained(FOLDER)
    (FOLDER / "model.safetensors").chmod(0o644)
    tensors = dict(model.named_parameters())
    generator = torch.Generator().manual_seed(SEED + 1)
    inputs = dict(rollouts=rollouts(generator), pairs=pairs(generator))
    cases = {}
    for name in CASES:
        cases[name] = run(name, inputs)
        check(name, cases[name], run(name, inputs, attention="sdpa"))
    shapes = {name: list(value.shape) for name, value in tensors.items()}
    shown = {name: samples(value.numel()) for name, value in tensors.items()}
    golden = dict(versions=versions, seed=SEED, eos=EOS, pad=PAD, n_generations=N_GENERATIONS, **inputs)
    tools.write_json("steps_trl.json", golden | dict(shapes=shapes, samples=shown, cases=cases))


if __name__ == "__main__":
    main()
