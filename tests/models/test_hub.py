"""Models from elsewhere: from a folder, a cache or a hub, whole, or an error that says what is wrong."""

import json
import shutil
import subprocess
import sys
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file

from remix_utils.models import hub
from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError
from tests.models.foreign_models import TOKENS, close, original


@pytest.fixture
def gpt2(tmp_path):
    original("gpt2").save_pretrained(tmp_path / "gpt2")
    return tmp_path / "gpt2"


def test_weights_in_several_files(tmp_path):
    """Shards are put together by their index; without one of them there is an error that names it."""
    theirs = original("gpt2")
    theirs.save_pretrained(tmp_path, max_shard_size="20KB")
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) > 1
    close(load(str(tmp_path)).module()(TOKENS), theirs(TOKENS).logits)
    shards[1].unlink()
    with pytest.raises(ModelError, match=rf"{shards[1].name} of {len(shards)} files is missing"):
        load(str(tmp_path))


def test_a_body_saved_without_its_head_is_read_where_the_embedding_is_tied(tmp_path):
    """Old files name weights without the prefix; GPT-2's unembedding is its embedding."""
    theirs = original("gpt2")
    theirs.transformer.save_pretrained(tmp_path)
    close(load(str(tmp_path)).module()(TOKENS), theirs(TOKENS).logits)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), r"model\.safetensors cannot be read .* damaged"),
        (lambda path: path.write_bytes(b"PK\x03\x04 a zip file, which is what pickles come in"), r"cannot be read"),
        (lambda path: path.write_bytes(b""), r"model\.safetensors cannot be read"),
        (lambda path: path.rename(path.with_name("pytorch_model.bin")), r"only pytorch_model\.bin, a pickle"),
        (lambda path: path.unlink(), r"has no model\.safetensors"),
        (lambda path: path.with_name("config.json").unlink(), r"has no config\.json"),
        (lambda path: path.with_name("config.json").write_text("{"), r"config\.json cannot be read"),
        (lambda path: path.with_name("config.json").write_text("3"), r"config\.json cannot be read"),
        (lambda path: path.with_name("model.safetensors.index.json").write_text("[]"), r"index\.json cannot be read"),
        (lambda path: save_file({"weight": torch.ones(2)}, path), "hold no weight"),
        (lambda path: save_file({**load_file(path), "lora.A": torch.ones(2)}, path), "hold 'lora.A'"),
        (
            lambda path: save_file(
                {**load_file(path), "transformer.wpe.weight": torch.full((64, 32), torch.nan)}, path
            ),
            "'wpe.weight' is not finite",
        ),
    ],
)
def test_damaged_and_foreign_files_are_named(gpt2, damage, message):
    """Truncated, overwritten, missing, of another kind, or with weights that mean nothing: never a wrong answer."""
    damage(gpt2 / "model.safetensors")
    with pytest.raises(ModelError, match=message):
        load(str(gpt2))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty hub cache, and a hub that cannot be reached."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))

    def unreachable(self, *args, **options):
        raise ConnectionError("no network")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    return tmp_path / "cache"


def keep(folder, cache, name):
    """Put a model into the cache as the hub's client does: files named by their sha256, and links to them."""
    home = cache / f"models--{name.replace('/', '--')}"
    for part in ("blobs", "refs", "snapshots/abc"):
        (home / part).mkdir(parents=True)
    (home / "refs/main").write_text("abc")
    for path in folder.iterdir():
        blob = home / "blobs" / sha256(path.read_bytes()).hexdigest()
        shutil.copy(path, blob)
        (home / "snapshots/abc" / path.name).symlink_to(blob)
    return home


def test_a_cached_model_needs_no_network(gpt2, cache):
    """What the cache holds is used without asking; a blob whose bytes are not its name is refused."""
    home = keep(gpt2, cache, "someone/tiny")
    close(load("someone/tiny").module()(TOKENS), original("gpt2")(TOKENS).logits)
    blob = (home / "snapshots/abc/model.safetensors").resolve()
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.write_bytes(data)
    with pytest.raises(ModelError, match="its sha256 is not its name"):
        load("someone/tiny")


def test_a_model_that_is_cached_in_part_is_asked_for_again(tmp_path, cache):
    """A download that stopped half-way is gone on with, rather than taken for the model."""
    original("gpt2").save_pretrained(tmp_path / "gpt2", max_shard_size="20KB")
    home = keep(tmp_path / "gpt2", cache, "someone/tiny")
    close(load("someone/tiny").module()(TOKENS), original("gpt2")(TOKENS).logits)
    next((home / "snapshots/abc").glob("*.safetensors")).unlink()
    with pytest.raises(ModelError, match="hub cannot be reached"):
        load("someone/tiny")


def test_without_a_network_one_sentence_says_what_to_run(cache):
    """The error names the command for a machine with a network, and the model that ships."""
    with pytest.raises(ModelError, match=r"run `hf download gpt2 .* --local-dir gpt2`") as caught:
        hub.load("gpt2", instead="ioi-small")
    assert "or load 'ioi-small', which ships." in str(caught.value)
    with pytest.raises(ModelError, match=r"hf download EleutherAI/pythia-70m --revision step1000 .* pythia-70m`"):
        load("EleutherAI/pythia-70m@step1000")


def test_a_network_that_answers_nothing_is_not_waited_for(cache, monkeypatch):
    """A name server that hangs costs seconds, not minutes."""
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda self, *args, **options: time.sleep(5))
    monkeypatch.setattr(hub, "PATIENCE", 0.1)
    started = time.monotonic()
    with pytest.raises(ModelError, match="cannot be reached"):
        load("gpt2")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", ["/nowhere/at/all", "two words", "a/b/c"])
def test_a_name_that_no_hub_has_is_refused(cache, name):
    """A path that does not exist is not looked up."""
    with pytest.raises(ModelError, match="There is no model"):
        load(name)


def test_a_step_is_for_models_that_ship(cache):
    """Checkpoints of others are revisions."""
    with pytest.raises(ModelError, match="pythia-70m@step1000"):
        load("EleutherAI/pythia-70m", step=1000)


@pytest.fixture
def server(gpt2, tmp_path, monkeypatch):
    """A hub on this machine that has one model, someone/tiny."""
    commit = "0" * 40
    files = {path.name: path.read_bytes() for path in gpt2.iterdir()} | {"pytorch_model.bin": b"never asked for"}
    asked = []

    class Hub(BaseHTTPRequestHandler):
        def answer(self, status, data=b"", **headers):
            self.send_response(status)
            for key, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(key.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def do_GET(self):
            asked.append(self.path)
            file = self.path.rsplit("/", 1)[-1]
            if not self.path.removeprefix("/api/models").startswith("/someone/tiny"):
                self.answer(404, X_Error_Code="RepoNotFound")
            elif self.path.startswith("/api/models/someone/tiny"):
                siblings = [{"rfilename": name} for name in files]
                table = {"id": "someone/tiny", "sha": commit, "siblings": siblings, "private": False, "tags": []}
                listing = [{"type": "file", "path": n, "size": len(d), "oid": "0"} for n, d in files.items()]
                data = listing if "/tree/" in self.path else table
                self.answer(200, json.dumps(data).encode(), Content_Type="application/json")
            elif file in files:
                etag = sha256(files[file]).hexdigest()
                self.answer(200, files[file], ETag=f'"{etag}"', X_Repo_Commit=commit)
            else:
                self.answer(404, X_Error_Code="EntryNotFound")

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    made = HTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=made.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{made.server_port}"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    monkeypatch.setattr(
        huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    yield asked
    made.shutdown()
    made.server_close()


def test_a_model_is_downloaded_once_and_without_its_pickles(server):
    """The hub is asked for configuration and safetensors only, and never again."""
    close(load("someone/tiny").module()(TOKENS), original("gpt2")(TOKENS).logits)
    assert server and not any("pytorch_model" in path for path in server)
    server.clear()
    load("someone/tiny")
    assert server == []


def test_a_model_that_the_hub_does_not_have(server):
    """The error says that the hub was asked."""
    with pytest.raises(ModelError, match=r"There is no model 'someone/else'.* the hub does not have it"):
        load("someone/else")


def test_nothing_foreign_is_imported_before_it_is_needed():
    """Neither the package, nor loading a model that ships, nor this room imports transformers or the hub's client."""
    program = (
        "import sys, remix_utils.models.hub, remix_utils.models.small; from remix_utils import models;"
        "models.load('digits-a'); print({'transformers', 'huggingface_hub', 'tokenizers'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
