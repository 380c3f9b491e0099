"""Models from GGUF files: every common quantisation, and an error that says what is wrong."""

import numpy
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize

from remix_utils import models
from remix_utils.graph.evaluate import evaluate
from remix_utils.models.gguf.file import read
from remix_utils.models.gguf.model import load
from remix_utils.models.model import ModelError
from tests.models.foreign_models import TOKENS, close, original
from tests.models.gguf_files import SIZES, write

WRITTEN = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]
READ = [*WRITTEN, "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]


@pytest.fixture
def tiny(tmp_path):
    """A file of a tiny llama in float32, and the model of transformers that it holds."""
    theirs = original("llama", **SIZES)
    write(tmp_path / "tiny.gguf", theirs)
    return tmp_path / "tiny.gguf", theirs


@pytest.mark.parametrize("quantisation", WRITTEN)
@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": True, "num_key_value_heads": 4}])
def test_a_file_is_the_model_with_its_weights_dequantised(quantisation, changes, tmp_path):
    """Graph and module give the logits of transformers on the dequantised weights."""
    theirs = original("llama", **{**SIZES, **changes})
    weights = write(tmp_path / "tiny.gguf", theirs, quantisation)
    theirs.load_state_dict(weights, strict=not changes)
    model = load("tiny", tmp_path / "tiny.gguf")
    close(evaluate(model.graph(seq=12), {"tokens": TOKENS}), theirs(TOKENS).logits)
    close(model.module()(TOKENS), theirs(TOKENS).logits)


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
def test_a_qwen_file_keeps_its_queries_its_biases_and_its_norms(kind, tmp_path):
    """Files of these architectures do not interleave rotary pairs."""
    theirs = original(kind, **SIZES)
    write(tmp_path / "tiny.gguf", theirs, kind=kind)
    close(load("tiny", tmp_path / "tiny.gguf").module()(TOKENS), theirs(TOKENS).logits)


def test_a_file_is_loaded_by_its_path(tiny):
    """models.load takes the path of a GGUF file, and says so when there is none."""
    path, theirs = tiny
    close(models.load(str(path)).module()(TOKENS), theirs(TOKENS).logits)
    with pytest.raises(ModelError, match="There is no file"):
        models.load(str(path.with_name("absent.gguf")))


@pytest.mark.parametrize("quantisation", READ)
def test_weights_are_those_that_the_format_means(quantisation, tmp_path, tiny):
    """A tensor of random blocks is read as `gguf` reads it, header and all."""
    kind = GGMLQuantizationType[quantisation]
    weights, size = GGML_QUANT_SIZES[kind]
    rows = 6 * size * max(256 // weights, 1)
    blocks = numpy.random.default_rng(0).integers(0, 100, (2, rows), dtype=numpy.uint8)
    stored = read_back(tmp_path / "one.gguf", blocks, kind)
    (theirs,) = GGUFReader(tmp_path / "one.gguf").tensors
    assert list(stored.shape) == list(reversed(theirs.shape.tolist()))
    expected = dequantize(theirs.data, theirs.tensor_type)
    close(stored.read(), torch.from_numpy(numpy.array(expected)).float().reshape(stored.shape))


def read_back(path, blocks, kind):
    from gguf import GGUFWriter

    writer = GGUFWriter(path, "llama")
    writer.add_tensor("one", blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return read(path).tensors["one"]


def test_metadata_of_every_type_are_read_as_gguf_reads_them(tiny):
    """Numbers, texts and lists; nothing is left out."""
    path, _ = tiny
    theirs = {key: field.contents() for key, field in GGUFReader(path).fields.items()}
    ours = read(path).metadata
    assert ours == {key: value for key, value in theirs.items() if not key.startswith("GGUF.")}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "it is empty"),
        (lambda data: b"PK\x03\x04" + data[4:], "it begins with b'PK"),
        (lambda data: data[:4] + b"\x09" + data[5:], "version 9 of GGUF, expected 2 or 3"),
        (lambda data: data[:100], "it has 100 bytes and needs"),
        (lambda data: data[:-100], "bytes and needs"),
        (
            lambda data: data.replace(b"llama.block_count", b"llama.block_bount"),
            "no llama.block_count",
        ),
        (
            lambda data: data.replace(b"blk.0.attn_q.weight", b"blk.0.attn_w.weight"),
            "no weight .*q_proj",
        ),
    ],
)
def test_a_damaged_file_is_refused(damage, message, tiny):
    """The error names the file or the weight, and what is wrong with it."""
    path, _ = tiny
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=message):
        load("tiny", path)


def test_another_architecture_and_an_unknown_quantisation_are_refused_by_name(tmp_path):
    """What is not read is said before anything is computed with it."""
    write(tmp_path / "other.gguf", original("llama", **SIZES), kind="falcon")
    with pytest.raises(ModelError, match="architecture 'falcon'"):
        load("other", tmp_path / "other.gguf")
    kind = GGMLQuantizationType.Q8_1
    stored = read_back(tmp_path / "one.gguf", numpy.zeros((1, 8 * 40), numpy.uint8), kind)
    with pytest.raises(ModelError, match="quantisation Q8_1"):
        stored.read()


def test_a_tokenizer_of_another_kind_is_refused_when_it_is_used(tmp_path):
    """The graph still reads tokens."""
    write(tmp_path / "tiny.gguf", original("llama", **SIZES), pre="tekken")
    model = load("tiny", tmp_path / "tiny.gguf")
    assert model.graph(seq=3).shape == (3, 37)
    with pytest.raises(ModelError, match="cut by 'tekken'"):
        model.tokenize("ab")


def test_no_text_is_lost(tmp_path):
    """A character that the vocabulary lacks is named, and so is a merge without a token."""
    write(tmp_path / "tiny.gguf", original("llama", **SIZES))
    with pytest.raises(ModelError, match="no token 'ab'"):
        load("tiny", tmp_path / "tiny.gguf").tokenize("ab")
    write(tmp_path / "some.gguf", original("llama", **{**SIZES, "vocab_size": 258}), lacking="é")
    model = load("some", tmp_path / "some.gguf")
    assert model.tokenize("abc").shape == (2,)
    with pytest.raises(ModelError, match="no tokens for 'é'"):
        model.tokenize("né")


def test_text_comes_back(tmp_path):
    """Merges are applied, special tokens are single ones, and decoding undoes encoding."""
    write(tmp_path / "tiny.gguf", original("llama", **{**SIZES, "vocab_size": 258}))
    model = load("tiny", tmp_path / "tiny.gguf")
    for text in ("abba né\n", "a<end>b", ""):
        assert model.decode(model.tokenize(text)) == text
    assert model.tokenize("abab").tolist() == [256, 256]
    assert model.tokenize("a<end>").tolist()[-1] == 257
