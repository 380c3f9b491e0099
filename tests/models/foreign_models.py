"""Tiny models of transformers, of every family that is read, with random weights."""

import torch

COMMON = {
    "vocab_size": 37,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
GPT2 = {
    "vocab_size": 37,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
KINDS = {
    "gpt2": ("GPT2LMHeadModel", "GPT2Config", GPT2),
    "gpt2 untied": (
        "GPT2LMHeadModel",
        "GPT2Config",
        {
            **GPT2,
            "tie_word_embeddings": False,
            "layer_norm_epsilon": 1e-3,
            "activation_function": "relu",
            "n_inner": 20,
        },
    ),
    "neox": ("GPTNeoXForCausalLM", "GPTNeoXConfig", COMMON),
    "neox in series": (
        "GPTNeoXForCausalLM",
        "GPTNeoXConfig",
        {
            **COMMON,
            "use_parallel_residual": False,
            "rotary_pct": 1.0,
            "attention_bias": False,
            "tie_word_embeddings": True,
        },
    ),
    "llama": ("LlamaForCausalLM", "LlamaConfig", {**COMMON, "num_key_value_heads": 2}),
    "llama 3": (
        "LlamaForCausalLM",
        "LlamaConfig",
        {
            **COMMON,
            "num_key_value_heads": 1,
            "head_dim": 6,
            "tie_word_embeddings": True,
            "attention_bias": True,
            "mlp_bias": True,
            "rope_theta": 500.0,
            "rope_scaling": LLAMA3,
        },
    ),
    "llama stretched": (
        "LlamaForCausalLM",
        "LlamaConfig",
        {**COMMON, "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    ),
    "mistral": ("MistralForCausalLM", "MistralConfig", {**COMMON, "num_key_value_heads": 2, "sliding_window": 20}),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", {**COMMON, "num_key_value_heads": 2}),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", {**COMMON, "num_key_value_heads": 2, "head_dim": 8}),
    "qwen3 wide": (
        "Qwen3ForCausalLM",
        "Qwen3Config",
        {
            **COMMON,
            "num_key_value_heads": 1,
            "head_dim": 12,
            "tie_word_embeddings": True,
            "attention_bias": True,
            "rms_norm_eps": 1e-3,
        },
    ),
    "phi3": ("Phi3ForCausalLM", "Phi3Config", {**COMMON, "num_key_value_heads": 2, "pad_token_id": 0}),
    "phi3 in part": (
        "Phi3ForCausalLM",
        "Phi3Config",
        {**COMMON, "pad_token_id": 0, "sliding_window": 30, "partial_rotary_factor": 0.5},
    ),
}
TOKENS = torch.randint(0, 37, (3, 12), generator=torch.Generator().manual_seed(0))


ARCHITECTURES = ("gpt2", "neox", "llama", "mistral", "qwen2", "qwen3", "phi3")


def original(kind, seed=0, **changes):
    """A model of transformers with random weights, none at its starting value."""
    import transformers  # takes seconds, so not for those who only collect tests

    model, config, sizes = KINDS[kind]
    model, config = getattr(transformers, model), getattr(transformers, config)
    torch.manual_seed(seed)
    made = model(config(**{**sizes, **changes}, attn_implementation="eager")).eval().requires_grad_(False)
    for parameter in made.parameters():
        parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return made


def save(theirs, folder, **options):
    """Write a model as save_pretrained does, without its bar."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    theirs.save_pretrained(folder, **options)


def close(value, expected):
    torch.testing.assert_close(value, expected, atol=1e-5, rtol=1e-5)
