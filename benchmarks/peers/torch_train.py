"""PyTorch's training step: forward, forward + backward, AdamW, each timed by itself, and the loss for a parity check.

python benchmarks/peers/torch_train.py FOLDER [--dtype f32|bf16] [--compile] [--adamw fused|foreach|for_loop]
The model is transformers' (SDPA attention). Ids come from `common.token_ids`; the loss is the mean NLL of the next
tokens within each row. bf16 is autocast over f32 weights, which is how PyTorch trains in bf16.
"""

import contextlib
import pathlib

import common
import torch
import transformers


def arguments():
    made = common.parser(__doc__)
    made.add_argument("folder", type=pathlib.Path)
    made.add_argument("--batch", type=int, default=8)
    made.add_argument("--tokens", type=int, default=256)
    made.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    made.add_argument("--adamw", choices=["fused", "foreach", "for_loop"], default="fused")
    made.add_argument("--compile", action="store_true", help="torch.compile of the loss")
    made.add_argument("--keep-gradients", action="store_true", help="zero gradients in place instead of freeing them")
    return made.parse_args()


def loss_function(model, ids, dtype):
    def loss():
        autocast = torch.autocast("cpu", torch.bfloat16) if dtype == "bf16" else contextlib.nullcontext()
        with autocast:
            logits = model(input_ids=ids, use_cache=False).logits
            return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten())

    return loss


def main():
    args = arguments()
    common.start(args)
    rss_before = common.rss_bytes()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        args.folder, dtype=torch.float32, attn_implementation="sdpa"
    )
    rss_loaded = common.rss_bytes()
    ids = common.token_ids(args.batch, args.tokens, model.config.vocab_size)
    loss = loss_function(model, ids, args.dtype)
    if args.compile:
        loss = torch.compile(loss)
    kind = {"fused": {"fused": True}, "foreach": {"foreach": True}, "for_loop": {"foreach": False}}[args.adamw]
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, **kind)

    def forward():
        with torch.no_grad():
            return loss()

    def forward_backward():
        optimiser.zero_grad(set_to_none=not args.keep_gradients)
        loss().backward()

    def step():
        forward_backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    first_loss = forward().item()
    times = {
        "forward": common.seconds_each(forward, args.repeats, args.warmups),
        "forward_backward": common.seconds_each(forward_backward, args.repeats, args.warmups),
        "adamw": common.seconds_each(optimiser.step, args.repeats, args.warmups),
        "step": common.seconds_each(step, args.repeats, args.warmups),
    }
    common.emit(
        "torch_train",
        args,
        transformers=transformers.__version__,
        loss=first_loss,
        median_secs={name: common.median(each) for name, each in times.items()},
        secs=times,
        rss_before_load_bytes=rss_before,
        rss_after_load_bytes=rss_loaded,
    )


if __name__ == "__main__":
    main()
