"""A tiny random GPT-2, saved as transformers saves one, with a tokenizer trained on the task's prompts."""

from pathlib import Path

import torch

from remix_utils.tasks import ioi

SIZES = {"n_positions": 64, "n_embd": 48, "n_layer": 3, "n_head": 4}


def tokenizer():
    """Byte-pair encoding in which every name, place and object is one token after a space."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=3000, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    words = [f" {word}" for kind in (ioi.NAMES, ioi.PLACES, ioi.OBJECTS) for word in kind]
    texts = ioi.prompts(300, seed=0).texts + ioi.prompts(50, seed=1).again("IO").texts
    made.train_from_iterator([*texts, *words, *words], trainer)
    return made


def save(folder: Path, seed: int = 0) -> Path:
    """Write the model and its tokenizer into a folder."""
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    trained = tokenizer()
    end = "<|endoftext|>"
    wrapped = PreTrainedTokenizerFast(tokenizer_object=trained, bos_token=end, eos_token=end, unk_token=end)
    wrapped.save_pretrained(folder)
    torch.manual_seed(seed)
    config = GPT2Config(vocab_size=trained.get_vocab_size(), attn_implementation="eager", **SIZES)
    made = GPT2LMHeadModel(config).eval().requires_grad_(False)
    for parameter in made.parameters():
        parameter.add_(torch.randn_like(parameter), alpha=0.1)
    made.save_pretrained(folder)
    return folder
