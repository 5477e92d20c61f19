"""Golden probabilities of the sampler: transformers' own processors in the order in which `generate` applies them.

Versions: torch 2.15.0, transformers 5.23.0 (f32, one thread). Seed: 13.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/sampling.py
Writes tests/golden/sampling.json: `logits` by name, and cases of logits, previous ids, settings and the final
probabilities (0 where a token was removed).

The list of processors is taken from `generate`'s own builder, so the order is not ours to get wrong. Where tokens tie
at the edge of top-p, transformers keeps those of higher id (a stable ascending sort, cut from below); such cases say
`tie_at_top_p`, because a sampler may well choose otherwise.
"""

import families  # first: it sets the environment variables that torch reads
import tools
import torch
import transformers

SEED = 13
SETTINGS = [
    {},
    {"temperature": 0.7},
    {"temperature": 1.8},
    {"temperature": 0.01},
    {"top_k": 1},
    {"top_k": 5},
    {"top_k": 1000},
    {"top_p": 0.9},
    {"top_p": 0.3},
    {"top_p": 0.0},
    {"min_p": 0.05},
    {"min_p": 0.5},
    {"min_p": 1.0},
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.8},
    {"temperature": 0.8, "top_k": 7, "top_p": 0.8},
    {"temperature": 1.4, "top_p": 0.85, "min_p": 0.1},
    {"repetition_penalty": 1.2, "temperature": 0.6, "top_k": 6, "top_p": 0.95, "min_p": 0.02},
]
NEUTRAL = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": None, "repetition_penalty": 1.0}
PREVIOUS_IDS = [3, 1, 3, 0, 10]


def logit_vectors():
    """Vectors that a sampler meets on a good day and on a bad one."""
    generator = torch.Generator().manual_seed(SEED)
    random = torch.randn(19, generator=generator) * 2.0
    tied = torch.tensor([1.0, 2.0, 2.0, 0.5, 2.0, 1.0, 1.0, 0.5, -1.0, 2.0, 0.0, 1.0, 1.0])
    extreme = torch.tensor([50.0, -50.0, 49.5, 0.0, -1e4, 50.0, 12.0, -3.4e38, 49.999, 1e-8, 30.0, -0.0])
    peaked = torch.tensor([0.0, 0.0, 80.0, 0.0, 0.0, -20.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    return {
        "random": random,
        "all_equal": torch.full((11,), 0.25),
        "tied": tied,
        "extreme": extreme,
        "peaked": peaked,
        "all_negative": -torch.rand(12, generator=generator) * 8.0 - 1.0,
    }


def processors(model, settings):
    """What `generate` would apply for these settings, in its order."""
    config = transformers.GenerationConfig(do_sample=True, **(NEUTRAL | settings))
    return model._get_logits_processor(config, input_ids_seq_length=len(PREVIOUS_IDS), device="cpu")


def probabilities(model, logits, settings):
    """The probabilities that the next token is drawn from, and whether equal tokens straddle the edge of top-p."""
    ids = torch.tensor([PREVIOUS_IDS])
    scores, straddles = logits[None].clone(), False
    for processor in processors(model, settings):
        before, scores = scores, processor(ids, scores)
        if isinstance(processor, transformers.TopPLogitsWarper):
            straddles = bool(torch.isin(before[scores.isinf()], before[~scores.isinf()]).any())
    return torch.softmax(scores, dim=-1)[0], straddles


def case(model, name, logits, settings):
    probs, straddles = probabilities(model, logits, settings)
    assert abs(probs.sum().item() - 1.0) < 1e-5 and torch.isfinite(probs).all(), (name, settings)
    twin, _ = probabilities(model, logits.double(), settings)
    assert torch.equal(twin.float() > 0, probs > 0), f"{name} {settings}: what is kept hangs on rounding"
    return {
        "logits": name,
        "settings": settings,
        "tie_at_top_p": straddles,
        "probabilities": probs.tolist(),
    }


def main():
    versions = tools.prepare()
    model = families.load(families.OUT / "llama")
    vectors = logit_vectors()
    cases = [case(model, name, logits, s) for name, logits in vectors.items() for s in SETTINGS]
    golden = {
        "versions": versions,
        "seed": SEED,
        "order": [type(p).__name__ for p in processors(model, SETTINGS[-1])],
        "neutral": NEUTRAL,
        "previous_ids": PREVIOUS_IDS,
        "logits": {name: logits.tolist() for name, logits in vectors.items()},
        "cases": cases,
    }
    tools.write_json("sampling.json", golden)


if __name__ == "__main__":
    main()
