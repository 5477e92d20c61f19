"""transformers' `generate`: new tokens a second.

python benchmarks/peers/transformers_decode.py FOLDER --batch 8 --prompt 64 --new 64 [--sample] [--dtype f32|bf16]
    [--setting default|static|static_compile|compile|compile_freeze]
Settings: `default` is generate as it comes (dynamic cache, SDPA); `static` a cache of fixed size; the others compile
the forward pass with torch.compile (C++ compiler of the machine, nothing is downloaded), `compile_freeze` with weights
treated as constants and laid out anew. End tokens are ignored, so every row runs to its full length. Prompts come from
`common.token_ids`.
"""

import pathlib

import common
import torch
import torch._inductor.config
import transformers

SETTINGS = ["default", "static", "static_compile", "compile", "compile_freeze"]


def arguments():
    made = common.parser(__doc__)
    made.add_argument("folder", type=pathlib.Path)
    made.add_argument("--batch", type=int, default=8)
    made.add_argument("--prompt", type=int, default=64, help="tokens of each prompt")
    made.add_argument("--new", type=int, default=64, help="new tokens of each row")
    made.add_argument("--sample", action="store_true", help="draw at temperature 1 instead of taking the best token")
    made.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    made.add_argument("--setting", choices=SETTINGS, default="default")
    return made.parse_args()


def load(args):
    """The model with end tokens taken away, compiled where asked."""
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[args.dtype]
    model = transformers.AutoModelForCausalLM.from_pretrained(args.folder, dtype=dtype).eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = None
    if args.setting == "static_compile":
        model.forward = torch.compile(model.forward, fullgraph=True)
    if args.setting == "compile_freeze":
        torch._inductor.config.freezing = True
    if args.setting in ("compile", "compile_freeze"):
        model.forward = torch.compile(model.forward, dynamic=True)
    return model


def generate_function(model, args):
    ids = common.token_ids(args.batch, args.prompt, model.config.vocab_size)
    options = dict(attention_mask=torch.ones_like(ids), max_new_tokens=args.new, do_sample=args.sample)
    if args.sample:
        options |= dict(temperature=1.0, top_k=0, top_p=1.0)
    if args.setting.startswith("static"):
        options |= dict(cache_implementation="static")

    def generate():
        with torch.inference_mode():
            return model.generate(ids, **options)[:, args.prompt :]

    return generate


def main():
    args = arguments()
    common.start(args)
    torch.manual_seed(0)
    generate = generate_function(load(args), args)
    new_ids = generate()
    assert new_ids.shape == (args.batch, args.new), new_ids.shape
    times = common.seconds_each(generate, args.repeats, args.warmups)
    seconds = common.median(times)
    common.emit(
        "transformers_decode",
        args,
        transformers=transformers.__version__,
        median_secs=seconds,
        tokens_per_sec=round(args.batch * args.new / seconds, 1),
        first_row_ids=None if args.sample else new_ids[0].tolist(),
        secs=times,
    )


if __name__ == "__main__":
    main()
