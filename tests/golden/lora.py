"""Golden files of LoRA: adapters on the tiny llama as PEFT saves them, their logits and the gradients of A and B.

Versions: torch 2.15.0, transformers 5.23.0, peft 0.21.2 (f32, eager attention, one thread). Seed: 7.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/lora.py   (after families.py)
Writes tests/golden/lora/<name>/: adapter_config.json, adapter_model.safetensors, golden.safetensors.

A and B are both random: with B at its usual start of 0 the adapter would be silent and A would have no gradient.
"""

import copy
import json
import shutil

import families  # first: it sets the environment variables that torch reads
import peft
import tools
import torch
from safetensors.torch import load_file, save_file

SEED = 7
BASE = families.OUT / "llama"
OUT = tools.HERE / "lora"
ADAPTERS = {"lora": False, "rslora": True}


def adapter_config(use_rslora):
    return peft.LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=["q_proj", "v_proj", "down_proj"],
        use_rslora=use_rslora,
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )


def write_adapter(folder, use_rslora):
    """Saves a random adapter and removes the model card that PEFT adds for a hub."""
    model = peft.get_peft_model(families.load(BASE), adapter_config(use_rslora))
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    # The config would otherwise hold the path of this machine.
    model.peft_config["default"].base_model_name_or_path = "tests/golden/families/llama"
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    # PEFT writes the target modules in the order of a set, which differs from run to run.
    config = json.loads((folder / "adapter_config.json").read_text())
    config["target_modules"].sort()
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def saved_name(parameter_name):
    """The name of a parameter in adapter_model.safetensors, which leaves out the adapter's own name."""
    return parameter_name.replace(".default.weight", ".weight")


def measure(folder):
    """Scores and gradients of the adapter read back from its folder, on the ids of the base model's golden file."""
    base_golden = load_file(BASE / "golden.safetensors")
    ids, lengths = base_golden["input_ids"], base_golden["lengths"]
    model = peft.PeftModel.from_pretrained(families.load(BASE), folder, is_trainable=True).eval()
    logits, logprobs, entropies = tools.packed_scores(model, ids, lengths)
    loss = -logprobs.mean()
    grads = tools.gradients(model, loss)
    merged = copy.deepcopy(model).merge_and_unload()
    merged_logits, _, _ = tools.packed_scores(merged, ids, lengths)
    check(folder, logits, merged_logits, base_golden["logits"])
    golden = {
        "input_ids": ids,
        "lengths": lengths,
        "logits": logits,
        "merged_logits": merged_logits,
        "next_logprobs": logprobs,
        "entropies": entropies,
        "loss": loss[None],
    }
    golden |= {f"grad.{saved_name(name)}": grad for name, grad in grads.items()}
    return {name: tensor.detach().contiguous() for name, tensor in golden.items()}


def check(folder, logits, merged_logits, base_logits):
    """Merged and unmerged differ by rounding only, and the adapter is heard."""
    assert (logits - merged_logits).abs().max() < 5e-5, folder
    assert (logits - base_logits).abs().max() > 0.5, folder


def main():
    versions = tools.prepare()
    for name, use_rslora in ADAPTERS.items():
        folder = OUT / name
        shutil.rmtree(folder, ignore_errors=True)
        write_adapter(folder, use_rslora)
        golden = measure(folder)
        save_file(golden, folder / "golden.safetensors", metadata=tools.notes(versions, seed=SEED))
        adapter = load_file(folder / "adapter_model.safetensors")
        assert {f"grad.{key}" for key in adapter} == {key for key in golden if key.startswith("grad.")}
        print(f"{name}: {len(adapter)} tensors, loss {golden['loss'].item():.4f}")


if __name__ == "__main__":
    main()
