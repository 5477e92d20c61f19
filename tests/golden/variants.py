"""The variants of the model families: small sizes that are no multiple of a vector, every feature in at least one.

Versions, seed and command: tests/golden/families.py, which reads this table.
Epsilons are far larger than in released models, so that one that is not read from the config shows.
"""

MAX_POSITIONS = 224
LARGE_EPS = 0.02

LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 5000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
LINEAR_ROPE = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
GEMMA3_LINEAR_ROPE = {
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
}
PARTIAL_ROPE = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.4}
LONG_ROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "partial_rotary_factor": 0.75,
    "short_factor": [1.0, 1.05, 1.2, 1.4, 1.7, 2.1],
    "long_factor": [1.1, 1.6, 2.5, 4.0, 5.5, 7.0],
}


def sizes(hidden, heads, kv_heads, ffn, layers, vocab):
    """Sizes under the names that every family but gpt2 uses."""
    return dict(
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        intermediate_size=ffn,
        num_hidden_layers=layers,
        vocab_size=vocab,
        max_position_embeddings=MAX_POSITIONS,
    )


GPT2 = dict(
    n_embd=24,
    n_head=2,
    n_layer=2,
    n_positions=208,
    vocab_size=89,
    bos_token_id=1,
    eos_token_id=2,
    layer_norm_epsilon=LARGE_EPS,
)

# The class's own ids of special tokens lie outside the small vocabulary.
PHI3 = dict(eos_token_id=2, pad_token_id=None)

# name: (config class, config, how it is saved). Windows are 8 and the second and third sequence are longer.
VARIANTS = {
    "gpt2": ("GPT2Config", GPT2, {}),
    "gpt2_hub_names": ("GPT2Config", GPT2 | dict(n_layer=1, n_embd=20, n_inner=36), {"layout": "gpt2_hub"}),
    "llama": ("LlamaConfig", sizes(48, 4, 2, 56, 2, 97), {}),
    "llama_tied_bias": (
        "LlamaConfig",
        sizes(36, 3, 1, 28, 2, 61)
        | dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, rms_norm_eps=LARGE_EPS),
        {},
    ),
    "llama_tied_as_head": (
        "LlamaConfig",
        sizes(20, 2, 1, 28, 1, 61) | dict(tie_word_embeddings=True),
        {"layout": "head_only"},
    ),
    "llama_rope_llama3": (
        "LlamaConfig",
        sizes(32, 2, 1, 28, 2, 61) | dict(head_dim=20, rope_parameters=LLAMA3_ROPE),
        {},
    ),
    "llama_rope_linear": ("LlamaConfig", sizes(24, 2, 2, 28, 2, 61) | dict(rope_parameters=LINEAR_ROPE), {}),
    "llama_sharded": ("LlamaConfig", sizes(24, 2, 1, 20, 2, 61), {"max_shard_size": "24KB"}),
    "llama_bf16": ("LlamaConfig", sizes(24, 2, 1, 20, 2, 61), {"dtype": "bfloat16"}),
    "mistral": ("MistralConfig", sizes(36, 4, 2, 28, 2, 83) | dict(head_dim=12, sliding_window=8), {}),
    "qwen2": (
        "Qwen2Config",
        sizes(36, 3, 1, 28, 2, 83) | dict(tie_word_embeddings=True, bos_token_id=1, eos_token_id=2),
        {},
    ),
    "qwen2_window": (
        "Qwen2Config",
        sizes(24, 2, 1, 28, 3, 61) | dict(use_sliding_window=True, sliding_window=8, max_window_layers=1),
        {},
    ),
    "qwen3": (
        "Qwen3Config",
        sizes(28, 3, 1, 28, 2, 83)
        | dict(head_dim=20, rms_norm_eps=LARGE_EPS, bos_token_id=1, eos_token_id=[2, 3])
        | dict(rope_parameters={"rope_type": "default", "rope_theta": 700.0}),
        {},
    ),
    "gemma2": (
        "Gemma2Config",
        sizes(32, 2, 1, 36, 2, 83)
        | dict(head_dim=20, query_pre_attn_scalar=24, sliding_window=8, rms_norm_eps=LARGE_EPS)
        | dict(attn_logit_softcapping=4.0, final_logit_softcapping=6.0),
        {},
    ),
    "gemma3": (
        "Gemma3TextConfig",
        sizes(24, 2, 1, 20, 6, 61) | dict(head_dim=12, query_pre_attn_scalar=16, sliding_window=8),
        {},
    ),
    "gemma3_rope_linear": (
        "Gemma3TextConfig",
        sizes(24, 2, 1, 20, 3, 61)
        | dict(head_dim=20, query_pre_attn_scalar=16, sliding_window=8, rope_parameters=GEMMA3_LINEAR_ROPE)
        | dict(layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
        {},
    ),
    "phi3": ("Phi3Config", sizes(40, 2, 1, 28, 2, 83) | PHI3 | dict(sliding_window=8), {}),
    "phi3_partial_rotary": (
        "Phi3Config",
        sizes(40, 2, 2, 20, 1, 61) | PHI3 | dict(rope_parameters=PARTIAL_ROPE, tie_word_embeddings=True),
        {},
    ),
    "phi3_longrope": (
        "Phi3Config",
        sizes(32, 2, 1, 28, 2, 61) | PHI3 | dict(original_max_position_embeddings=16, rope_parameters=LONG_ROPE),
        {},
    ),
}
ROPE_ALIKE = {
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "full_attention": {"rope_type": "default", "rope_theta": 10000.0},
    }
}
# A change of each variant's own features that must be heard in its logits, or the variant could not test them.
AUDIBLE = {
    "gpt2": [{"layer_norm_epsilon": 1e-5}],
    "llama_tied_bias": [{"rms_norm_eps": 1e-5}],
    "qwen3": [{"rms_norm_eps": 1e-5}, {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}],
    "llama_rope_llama3": [{"rope_parameters": {"rope_type": "default", "rope_theta": 5000.0}}],
    "llama_rope_linear": [{"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}],
    "mistral": [{"sliding_window": 7}, {"sliding_window": 9}],
    "qwen2_window": [{"sliding_window": 7}, {"sliding_window": 9}, {"layer_types": ["sliding_attention"] * 3}],
    "gemma2": [
        {"sliding_window": 7},
        {"sliding_window": 9},
        {"attn_logit_softcapping": None},
        {"final_logit_softcapping": None},
        {"query_pre_attn_scalar": 20},
        {"rms_norm_eps": 1e-5},
    ],
    "gemma3": [{"sliding_window": 7}, {"sliding_window": 9}, {"layer_types": ["sliding_attention"] * 6}, ROPE_ALIKE],
    "gemma3_rope_linear": [ROPE_ALIKE],
    "phi3": [{"sliding_window": 7}, {"sliding_window": 9}],
    "phi3_partial_rotary": [{"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}],
    "phi3_longrope": [
        {"rope_parameters": LONG_ROPE | {"long_factor": LONG_ROPE["short_factor"]}},
        {"rope_parameters": LONG_ROPE | {"short_factor": LONG_ROPE["long_factor"]}},
    ],
}
# Around the limit of the long factors (16): below, exactly at it, above.
LENGTHS = {"phi3_longrope": [9, 16, 23]}
DEFAULT_LENGTHS = [6, 13, 23]
