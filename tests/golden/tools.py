"""What the golden scripts share: pinned versions, random weights, scores, gradients, greedy text.

Versions: tests/golden/requirements.txt (refused when another one is installed). No command of its own.
Every sequence is run alone and without padding, so that the numbers do not depend on how a batch is laid out.
"""

import json
import os
import pathlib
import re
import sys
from importlib import metadata

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch  # noqa: E402  (the variables above must be set first)

HERE = pathlib.Path(__file__).resolve().parent
MIN_GREEDY_GAP = 1e-3


def pinned_versions():
    """The pins of requirements.txt; stops where an installed package differs, because the numbers would be others'."""
    lines = (HERE / "requirements.txt").read_text().splitlines()
    pins = dict(re.match(r"(\S+)==(\S+)$", line).groups() for line in lines if line and line[0] != "#")
    found = {name: metadata.version(name).split("+")[0] for name in pins}
    if found != pins:
        sys.exit(f"failed to write golden files: requirements.txt pins {pins}, installed are {found}")
    return {name: pins[name] for name in ("torch", "transformers")}


def prepare():
    """Pins the arithmetic to one thread and returns the versions for a file's metadata."""
    torch.set_num_threads(1)
    return pinned_versions()


def randomise(model, generator, gemma):
    """Fills every parameter, norms and biases too: at their usual start of 1 and 0 a forgotten one would not show.

    Gemma's norms are centred on 0 and it multiplies embeddings by sqrt(hidden). With smaller embeddings and louder
    norms behind each block its blocks are heard above the token itself; otherwise greedy text repeats one token.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                parameter.copy_(noise * (0.15 if gemma and "embed_tokens" in name else 0.3))
            elif name.endswith("bias"):
                parameter.copy_(noise * 0.2)
            else:
                loud = "post_" in name or name == "model.norm.weight"
                parameter.copy_((float(loud) if gemma else 1.0) + noise * 0.2)


def split(flat_ids, lengths):
    """The sequences of a packed id vector."""
    return torch.split(flat_ids, lengths.tolist())


def logits_of(model, sequence):
    """Logits [tokens, vocab] of one sequence, run alone."""
    return model(input_ids=sequence[None], use_cache=False).logits[0]


def packed_scores(model, flat_ids, lengths):
    """Logits of all positions, and log-prob and entropy at each position that has a next token, packed in order."""
    logits, logprobs, entropies = [], [], []
    for sequence in split(flat_ids, lengths):
        rows = logits_of(model, sequence)
        log_p = torch.log_softmax(rows[:-1], dim=-1)
        logits.append(rows)
        logprobs.append(log_p.gather(1, sequence[1:, None])[:, 0])
        entropies.append(-(log_p.exp() * log_p).sum(-1))
    return torch.cat(logits), torch.cat(logprobs), torch.cat(entropies)


def gradients(model, loss):
    """Gradient of every trainable parameter, by parameter name."""
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}


def greedy(model, prompt, n_new_tokens):
    """Greedy ids and the smallest top-1/top-2 gap on the way, by a full pass for each token; None near a tie.

    No cache is used, so that a cache cannot hide in the reference; `generate_greedy` must give the same ids.
    """
    ids, smallest_gap = prompt, float("inf")
    with torch.no_grad():
        for _ in range(n_new_tokens):
            best = logits_of(model, ids)[-1].topk(2)
            smallest_gap = min(smallest_gap, (best.values[0] - best.values[1]).item())
            if smallest_gap <= MIN_GREEDY_GAP:
                return None, smallest_gap
            ids = torch.cat([ids, best.indices[:1]])
    return ids[len(prompt) :], smallest_gap


def generate_greedy(model, prompt, n_new_tokens):
    """The same continuation by `generate` with its cache; end tokens do not stop it."""
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = None
    ids = model.generate(
        prompt[None],
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=n_new_tokens,
        do_sample=False,
    )
    return ids[0, len(prompt) :]


def relative_difference(a, b):
    """Largest difference over largest magnitude of the second."""
    return ((a.double() - b.double()).abs().max() / b.double().abs().max().clamp_min(1e-30)).item()


def notes(versions, **facts):
    """Metadata of a safetensors file: one entry, because several would be written in random order."""
    return {"golden": json.dumps(versions | facts)}


def write_json(name, golden):
    """Writes a golden file, one line for each number list, so that a change shows where it is."""
    text = json.dumps(golden, indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found.group().split()), text)
    (HERE / name).write_text(text + "\n")
