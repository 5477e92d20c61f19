"""Golden numbers of value heads: a linear map on the final states of three families, its values and gradients.

Versions: torch 2.15.0, transformers 5.23.0 (f32, eager attention, one thread). Seed: 11.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python tests/golden/value_head.py   (after families.py)
Writes tests/golden/value_head.json; what each entry is, is said in tests/golden/README.md.

The final state of a position is `hidden_states[-1]`, which transformers normalises already. The state before token t is
that of position t - 1; the state at the end is that of the last position.
"""

import families  # first: it sets the environment variables that torch reads
import tools
import torch
from safetensors.torch import load_file

SEED = 11
VARIANTS = ["gemma2", "gpt2", "llama"]
# Of each parameter's gradient: the norm, and this many numbers at equal distances.
N_SAMPLES = 5


def states_of(model, sequence):
    """Logits and final states of one sequence, run alone."""
    out = model(input_ids=sequence[None], use_cache=False, output_hidden_states=True)
    return out.logits[0], out.hidden_states[-1][0]


def shared(model, head, sequences, targets):
    """Half the squared error of every state's value, ends included, plus 0.3 times minus the mean log-prob."""
    errors, logprobs = [], []
    for sequence, target in zip(sequences, targets, strict=True):
        logits, states = states_of(model, sequence)
        errors.append((head(states)[:, 0] - target) ** 2)
        log_p = torch.log_softmax(logits[:-1], dim=-1)
        logprobs.append(log_p.gather(1, sequence[1:, None])[:, 0])
    return 0.5 * torch.cat(errors).mean() - 0.3 * torch.cat(logprobs).mean()


def pair(model, head, sequences, _targets):
    """Bradley and Terry: minus the log-sigmoid of the first sequence's value at its end over the second's."""
    chosen, rejected = (head(states_of(model, sequence)[1][-1]) for sequence in sequences[:2])
    return -torch.nn.functional.logsigmoid(chosen - rejected).mean()


def summary(gradient):
    flat = gradient.flatten()
    places = torch.linspace(0, flat.numel() - 1, N_SAMPLES).long()
    return {"norm": flat.norm().item(), "places": places.tolist(), "samples": flat[places].tolist()}


def measure(loss_of, model, head, sequences, targets):
    head.zero_grad(set_to_none=True)
    loss = loss_of(model, head, sequences, targets)
    model.zero_grad(set_to_none=True)
    loss.backward()
    # An output map of its own has no part in values.
    grads = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {
        "loss": loss.item(),
        "head": head.weight.grad[0].tolist() + head.bias.grad.tolist(),
        "model": {name: summary(grad) for name, grad in sorted(grads.items())},
    }


def golden_of(name):
    folder = families.OUT / name
    packed = load_file(folder / "golden.safetensors")
    sequences = tools.split(packed["input_ids"], packed["lengths"])
    model = families.load(folder)
    generator = torch.Generator().manual_seed(SEED)
    head = torch.nn.Linear(model.config.hidden_size, 1)
    with torch.no_grad():
        head.weight.copy_(torch.randn(head.weight.shape, generator=generator) * 0.2)
        head.bias.copy_(torch.randn(1, generator=generator))
        targets = [torch.randn(len(sequence), generator=generator) for sequence in sequences]
        values = [head(states_of(model, sequence)[1])[:, 0].tolist() for sequence in sequences]
    return {
        "head": head.weight[0].tolist() + head.bias.tolist(),
        "targets": [target.tolist() for target in targets],
        "values": values,
        "shared": measure(shared, model, head, sequences, targets),
        "pair": measure(pair, model, head, sequences, targets),
    }


def main():
    versions = tools.prepare()
    golden = {"versions": versions, "seed": SEED}
    golden["variants"] = {name: golden_of(name) for name in VARIANTS}
    tools.write_json("value_head.json", golden)


if __name__ == "__main__":
    main()
