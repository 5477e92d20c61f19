//! The language-model engine: kernels, decoder, LoRA, optimiser, sampler, tokenizer, chat template and checkpoint files.
