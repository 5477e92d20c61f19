"""PyTorch's AdamW alone, on parameters shaped as a model folder's: fused, foreach and one by one.

python benchmarks/peers/torch_adamw.py FOLDER
Gradients are random and stay in place; each kind has its own parameters and moments, one kind after the other.
"""

import pathlib

import common
import torch
from safetensors import safe_open

KINDS = {"fused": {"fused": True}, "foreach": {"foreach": True}, "for_loop": {"foreach": False}}


def shapes(folder):
    """Shapes of all tensors in the folder's model.safetensors."""
    with safe_open(folder / "model.safetensors", "pt") as file:
        return [file.get_slice(name).get_shape() for name in file.keys()]


def step_times(all_shapes, kind, args):
    torch.manual_seed(0)
    parameters = [torch.randn(shape).requires_grad_() for shape in all_shapes]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, **kind)
    return common.seconds_each(optimiser.step, args.repeats, args.warmups)


def main():
    made = common.parser(__doc__)
    made.add_argument("folder", type=pathlib.Path)
    args = made.parse_args()
    common.start(args)
    all_shapes = shapes(args.folder)
    times = {name: step_times(all_shapes, kind, args) for name, kind in KINDS.items()}
    medians = {name: common.median(each) for name, each in times.items()}
    common.emit(
        "torch_adamw",
        args,
        n_parameters=sum(torch.Size(shape).numel() for shape in all_shapes),
        median_secs=medians,
        best=min(medians, key=medians.get),
        secs=times,
    )


if __name__ == "__main__":
    main()
