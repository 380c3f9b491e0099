"""GGUF files of tiny models, written by the package `gguf` from models of transformers."""

import numpy
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import dequantize, quantize
from tokenizers import pre_tokenizers

from remix_utils.models.gguf.model import AROUND, WITHIN
from tests.models.foreign_models import KINDS

# Blocks hold 32 weights, so every matrix of these models has rows of 32 or 64.
SIZES = {**KINDS["llama"][2], "intermediate_size": 64}
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False)


def interleaved(weight, heads):
    """Queries and keys as a llama file has them: the halves of each rotary pair side by side."""
    halves = weight.unflatten(0, (heads, 2, -1))
    return halves.transpose(1, 2).reshape(weight.shape)


def file_names(n_layers):
    """The names of transformers' weights and of the file's."""
    names = {f"{their}.": f"{ours}." for their, ours in AROUND.items()}
    for layer in range(n_layers):
        for their, ours in WITHIN.items():
            names[f"model.layers.{layer}.{their}."] = f"blk.{layer}.{ours}."
    return names


def write(path, theirs, quantisation="F32", kind="llama", **entries):
    """Writes a model's file; returns its weights as they are after dequantisation."""
    config, writer = theirs.config, GGUFWriter(path, kind)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(entries.pop("pre", "gpt-2"))
    lacking = BYTE_LEVEL.pre_tokenize_str(entries.pop("lacking", ""))
    tokens = [*BYTES, "ab", "<end>"][: config.vocab_size]
    for letter in "".join(piece for piece, _ in lacking):
        tokens[tokens.index(letter)] = f"<{letter}>"
    writer.add_token_list(tokens)
    writer.add_token_types([1] * (config.vocab_size - 1) + [3])
    writer.add_token_merges(["a b"])
    for key, value in entries.items():
        writer.add_uint32(key.replace("__", "."), value)
    kept = {}
    for key, weight in theirs.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        stem, part = key.rsplit(".", 1)
        name = file_names(config.num_hidden_layers)[f"{stem}."] + part
        count = heads.get(name.split(".")[-2]) if kind == "llama" else None
        stored = weight if count is None else interleaved(weight, count)
        quantised = GGMLQuantizationType[quantisation if weight.ndim == 2 else "F32"]
        data = quantize(stored.numpy(), quantised)
        writer.add_tensor(name, data, raw_dtype=quantised)
        back = torch.from_numpy(numpy.array(dequantize(data, quantised))).reshape(weight.shape)
        if count is not None:
            back = back.unflatten(0, (count, -1, 2)).transpose(1, 2).reshape(weight.shape)
        kept[key] = back
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return kept
