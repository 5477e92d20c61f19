"""Writes the random model of the speed table: python benchmarks/peers/make_models.py OUT -> OUT/llama-512.

dim 512, 8 layers, 8 heads, SwiGLU 1376, vocab 8192, f32, 2048 positions, untied head; weights as transformers draws
them with torch seed 0. End tokens are absent, so that every run generates to its full length.
"""

import argparse
import pathlib

import common
import torch
import transformers


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=pathlib.Path)
    arguments = arguments.parse_args()
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        hidden_size=512,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=8,
        intermediate_size=1376,
        vocab_size=8192,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = transformers.LlamaForCausalLM(config)
    folder = arguments.out / "llama-512"
    model.save_pretrained(folder)
    common.emit("make_models", arguments, folder=str(folder), n_parameters=model.num_parameters())


if __name__ == "__main__":
    main()
