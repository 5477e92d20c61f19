"""Golden numbers of a real model: the pretrained 656k-parameter TinyStories Llama, which is not part of the repository.

Versions: torch 2.15.0, transformers 5.23.0 (f32, eager attention, one thread). No seed: nothing is random.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/tinystories.py ../shared/data/tinystories-656k
Writes tests/golden/tinystories.json: for three short stories their ids, the log-prob of each next token, entropies and
the mean loss, and 200 greedy tokens from a prompt. End tokens do not stop the greedy text.

The folder stores its tied embedding as `lm_head.weight`. Its tokenizer.json puts a lone `▁` in front of every text,
which the model never saw in training, so the first two log-probs of a story are very low; that is no mistake here.
"""

import hashlib
import pathlib
import sys

import families  # first: it sets the environment variables that torch reads
import tools
import torch
import transformers
from safetensors.torch import load_file

STORIES = [
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.",
    "One day, Tom and his mom went to the store. Tom saw a big red ball. \"Can I have it, please?\" he asked. "
    "His mom smiled and said, \"Yes, but you must share it with your sister.\"",
    "The sun was hot. A small bird sat in a tree and sang.",
]
PROMPTS = [
    "Once upon a time",
    "One day, a little boy",
    "There was a small cat",
    "Tim and his friend Sam",
    "It was a sunny day and",
    "Mia had a red hat",
]
N_GREEDY = 200


def story_golden(model, tokenizer, story):
    ids = torch.tensor(tokenizer(story)["input_ids"])
    with torch.no_grad():
        _, logprobs, entropies = tools.packed_scores(model, ids, torch.tensor([len(ids)]))
    return {
        "text": story,
        "ids": ids.tolist(),
        "next_logprobs": logprobs.tolist(),
        "entropies": entropies.tolist(),
        "mean_loss": -logprobs.mean().item(),
    }


def greedy_golden(model, tokenizer):
    """The first prompt whose greedy text never comes near a tie."""
    for prompt in PROMPTS:
        ids = torch.tensor(tokenizer(prompt)["input_ids"])
        greedy_ids, gap = tools.greedy(model, ids, N_GREEDY)
        if greedy_ids is None:
            continue
        assert torch.equal(tools.generate_greedy(model, ids, N_GREEDY), greedy_ids)
        return {
            "prompt": prompt,
            "prompt_ids": ids.tolist(),
            "ids": greedy_ids.tolist(),
            "text": tokenizer.decode(greedy_ids, skip_special_tokens=False),
            "min_gap": gap,
        }
    sys.exit("failed to write tinystories.json: every prompt meets a near tie")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/golden/tinystories.py FOLDER_OF_TINYSTORIES_656K")
    folder = pathlib.Path(sys.argv[1])
    versions = tools.prepare()
    model = families.load(folder)
    stored = load_file(folder / "model.safetensors")["lm_head.weight"]
    assert torch.equal(model.get_input_embeddings().weight, stored), "the embedding was not read from the head"
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    golden = {
        "versions": versions,
        "sha256": {name: digest(folder / name) for name in ("model.safetensors", "tokenizer.json", "config.json")},
        "stories": [story_golden(model, tokenizer, story) for story in STORIES],
        "greedy": greedy_golden(model, tokenizer),
    }
    tools.write_json("tinystories.json", golden)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
