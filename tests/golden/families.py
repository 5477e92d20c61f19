"""Golden files of the model families: tiny random models, their logits, gradients and greedy text.

Versions: torch 2.15.0, transformers 5.23.0 (f32, eager attention, one thread). Seed: the first from 1 upward whose
greedy text never comes near a tie; it is in the metadata of each golden.safetensors.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/families.py [variant ...]
Writes tests/golden/families/<variant>/; what each tensor is, is said in tests/golden/README.md.

The model that is measured is the one read back from the folder, never the one in memory.
"""

import copy
import json
import pathlib
import shutil
import sys
import tempfile

import tools  # first: it sets the environment variables that torch reads
import torch
import transformers
from safetensors.torch import load_file, save_file
from variants import AUDIBLE, DEFAULT_LENGTHS, LENGTHS, VARIANTS

OUT = tools.HERE / "families"
N_GREEDY = 200
PROMPT_LENGTH = 5
# Small random models fall into a loop soon; a loop of few tokens would prove little about 200 of them.
MIN_DISTINCT_GREEDY = 20


def build(name, seed):
    """The random model of a variant in f32, its packed ids and its prompt."""
    config_class, arguments, saving = VARIANTS[name]
    config = getattr(transformers, config_class)(**copy.deepcopy(arguments))
    generator = torch.Generator().manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config)
    tools.randomise(model, generator, gemma="gemma" in name)
    model.to(getattr(torch, saving.get("dtype", "float32")))
    lengths = torch.tensor(LENGTHS.get(name, DEFAULT_LENGTHS))
    # Ids start at 3: torch gives no embedding gradient to a padding id, and gemma's is 0.
    ids = torch.randint(3, config.vocab_size, (int(lengths.sum()),), generator=generator)
    prompt = torch.randint(3, config.vocab_size, (PROMPT_LENGTH,), generator=generator)
    return model, ids, lengths, prompt


def save(model, folder, saving):
    """Writes the folder as `save_pretrained` does, then renames tensors where the variant asks for another layout."""
    model.save_pretrained(folder, max_shard_size=saving.get("max_shard_size", "5GB"))
    layout = saving.get("layout")
    if layout is None:
        return
    path = folder / "model.safetensors"
    tensors = load_file(path)
    if layout == "head_only":
        tensors["lm_head.weight"] = tensors.pop("model.embed_tokens.weight")
    if layout == "gpt2_hub":
        tensors = gpt2_hub_tensors(tensors, model.config)
    save_file(tensors, path, metadata={"format": "pt"})


def gpt2_hub_tensors(tensors, config):
    """The names of the released gpt2: no `transformer.` in front, and the causal mask saved as `attn.bias`."""
    renamed = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    positions = config.n_positions
    mask = torch.tril(torch.ones(positions, positions))[None, None]
    # The released file holds f32 masks; 16x16 is enough to show that the tensor is to be ignored.
    masks = {f"h.{layer}.attn.bias": mask[..., :16, :16].clone() for layer in range(config.n_layer)}
    return renamed | masks


def load(folder, **changes):
    """The model of a folder in f32 with eager attention, its config changed where asked."""
    config = transformers.AutoConfig.from_pretrained(folder)
    for key, value in copy.deepcopy(changes).items():
        setattr(config, key, value)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="eager"
    )
    return model.eval()


def checkpoint_name(parameter_name, saving):
    """The name a parameter has in the written checkpoint."""
    layout = saving.get("layout")
    if layout == "gpt2_hub":
        return parameter_name.removeprefix("transformer.")
    if layout == "head_only" and parameter_name == "model.embed_tokens.weight":
        return "lm_head.weight"
    return parameter_name


def measure(model, ids, lengths, saving):
    """Every golden tensor but the greedy text."""
    logits, logprobs, entropies = tools.packed_scores(model, ids, lengths)
    loss = -logprobs.mean()
    grads = tools.gradients(model, loss)
    golden = {
        "input_ids": ids,
        "lengths": lengths,
        "logits": logits,
        "next_logprobs": logprobs,
        "entropies": entropies,
        "loss": loss[None],
    }
    golden |= {f"grad.{checkpoint_name(name, saving)}": grad for name, grad in grads.items()}
    return {name: tensor.detach().contiguous() for name, tensor in golden.items()}


def condition(model, golden, saving):
    """How far f32 is from the same model in f64: (logits, worst gradient). Ill-conditioned numbers prove nothing."""
    twin = measure(copy.deepcopy(model).double(), golden["input_ids"], golden["lengths"], saving)
    logits = (twin["logits"] - golden["logits"]).abs().max().item()
    grads = max(tools.relative_difference(golden[n], twin[n]) for n in golden if n.startswith("grad."))
    return logits, grads


def check_read_back(built, model):
    """Stops when a weight was not found in the folder: transformers would draw a random one instead."""
    read = dict(model.named_parameters())
    for name, parameter in built.named_parameters():
        assert torch.equal(parameter.float(), read[name]), f"{name} was not read back"


def check_audible(folder, golden):
    """Stops when a feature of the variant could be left out without changing its logits."""
    for change in AUDIBLE.get(folder.name, []):
        with torch.no_grad():
            logits, _, _ = tools.packed_scores(load(folder, **change), golden["input_ids"], golden["lengths"])
        difference = (logits - golden["logits"]).abs().max().item()
        assert difference > 0.05, f"{folder.name}: {change} changes the logits by {difference} only"


def config_in_v4_spelling(config):
    """config.json as transformers 4 wrote it, which is how most models lie on disk."""
    config = copy.deepcopy(config)
    config.pop("transformers_version", None)
    config["torch_dtype"] = config.pop("dtype")
    config.pop("layer_types", None)
    rope = config.pop("rope_parameters", None)
    if rope is None:
        return config
    if config["model_type"] == "gemma3_text":
        config["sliding_window_pattern"] = config.pop("_sliding_window_pattern", 6)
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
    if config["model_type"] == "qwen2" and config["sliding_window"] is None:
        config["sliding_window"] = 4096  # written though unused: use_sliding_window is false
    if config["model_type"] == "phi3":
        rope.pop("original_max_position_embeddings", None)
        config["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
    config["rope_theta"] = rope.pop("rope_theta")
    kind = rope.pop("rope_type")
    # Linear and long scaling are older than the key `rope_type`; their folders say `type`.
    key = "type" if kind in ("linear", "longrope") and config["model_type"] != "gemma3_text" else "rope_type"
    config["rope_scaling"] = None if kind == "default" else {key: kind} | rope
    return config


def write_v4_config(folder, golden):
    """Writes config_v4.json after checking that transformers reads the same model from it, bit for bit."""
    config = json.loads((folder / "config.json").read_text())
    if "rope_parameters" not in config:
        return
    if config["model_type"] == "gemma3_text" and len(config["layer_types"]) < 6:
        config["_sliding_window_pattern"] = 2
    old = config_in_v4_spelling(config)
    with tempfile.TemporaryDirectory() as scratch:
        twin = pathlib.Path(scratch) / "model"
        shutil.copytree(folder, twin)
        (twin / "config.json").write_text(json.dumps(old))
        logits, _, _ = tools.packed_scores(load(twin), golden["input_ids"], golden["lengths"])
    assert torch.equal(logits.detach(), golden["logits"]), f"{folder.name}: the older spelling reads another model"
    (folder / "config_v4.json").write_text(json.dumps(old, indent=2, sort_keys=True) + "\n")


def write_with_seed(name, seed, versions):
    """Writes a variant with this seed; None when its greedy text comes near a tie or is too monotonous."""
    saving = VARIANTS[name][2]
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    built, ids, lengths, prompt = build(name, seed)
    save(built, folder, saving)
    model = load(folder)
    check_read_back(built, model)
    greedy_ids, gap = tools.greedy(model, prompt, N_GREEDY)
    if greedy_ids is None or len(greedy_ids.unique()) < MIN_DISTINCT_GREEDY:
        return None
    golden = measure(model, ids, lengths, saving)
    logits_error, grads_error = condition(model, golden, saving)
    assert logits_error < 2e-5 and grads_error < 2e-4, f"{name}: f32 is too far from f64: {logits_error} {grads_error}"
    assert torch.equal(tools.generate_greedy(model, prompt, N_GREEDY), greedy_ids), f"{name}: generate disagrees"
    check_audible(folder, golden)
    write_v4_config(folder, golden)
    golden |= {"greedy_prompt": prompt, "greedy_ids": greedy_ids}
    notes = tools.notes(versions, seed=seed, greedy_min_gap=round(gap, 6))
    save_file(golden, folder / "golden.safetensors", metadata=notes)
    n_distinct = len(greedy_ids.unique())
    return dict(seed=seed, gap=gap, n_distinct=n_distinct, logits_error=logits_error, grads_error=grads_error)


def write(name, versions):
    """Writes a variant with the first seed that will do."""
    for seed in range(1, 500):
        facts = write_with_seed(name, seed, versions)
        if facts:
            return facts
    sys.exit(f"failed to write {name}: no seed below 500 gives a greedy text without near ties")


def main():
    versions = tools.prepare()
    transformers.utils.logging.disable_progress_bar()
    for name in sys.argv[1:] or VARIANTS:
        facts = write(name, versions)
        n_bytes = sum(path.stat().st_size for path in (OUT / name).iterdir())
        print(
            f"{name}: seed {facts['seed']}, greedy gap {facts['gap']:.4f}, {facts['n_distinct']} distinct tokens, "
            f"f32-f64 logits {facts['logits_error']:.1e}, gradients {facts['grads_error']:.1e}, {n_bytes} bytes"
        )


if __name__ == "__main__":
    main()
