"""Base models that are uploaded or fetched from a Hub: the good one is ready, every bad one ends in a sentence."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save, save_file
from sqlmodel import select

from jobs.controller.housekeeping import delete_abandoned_uploads
from jobs.families.registry import read_base, resolve
from jobs.models.import_model import run_model_import
from orchestrator.domain.adapters import Adapter, AdapterLine, ResultKind
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Upload
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.users import Actor
from orchestrator.services.credentials import save_token
from orchestrator.services.db import session_scope
from orchestrator.services.models import folders
from orchestrator.services.models.adding import (
    create_file_upload,
    create_model_for_upload,
    create_model_from_hub,
    request_check,
    restart_upload,
    retry_import,
)
from orchestrator.services.models.catalog import delete_model
from orchestrator.services.models.files import model_folder, partial_bytes
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.services.uploads.uploads import complete_upload, list_uploads
from orchestrator.settings import ROOT, get_settings
from tests.fakes.hub_server import SHA, HubServer, hub_server
from tests.studio import RedisProcess, make_person

BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
NAMES = ("config.json", "model.safetensors", "preprocessor_config.json")
KIND = "video_classification"


def test_an_interrupted_upload_continues_or_is_given_up(redis_server: RedisProcess, ada: Actor) -> None:
    """It never waits for ever: files may be sent again, and after two days without them it says so."""
    with session_scope() as session:
        left, fresh = (create_model_for_upload(session, ada, name, "", KIND).id for name in ("left", "fresh"))
        partial = create_file_upload(session, ada, left, "model.safetensors", 1_000).id
    upload_path(partial).write_bytes(b"half")
    delete_abandoned_uploads()
    assert model_of(left).status is ModelStatus.PROCESSING
    with session_scope() as session:
        restart_upload(session, ada, left)
    assert not upload_path(partial).exists()
    with session_scope() as session:
        model = session.get_one(VideoModel, left)
        model.created_at = utcnow() - timedelta(days=3)
        session.add(model)
    delete_abandoned_uploads()
    assert model_of(left).status is ModelStatus.ERROR
    assert "did not all arrive" in model_of(left).error
    assert model_of(fresh).status is ModelStatus.PROCESSING
    # Even then: the same model, its files once more.
    with session_scope() as session:
        restart_upload(session, ada, left)
        for filename, data in files_of().items():
            row = create_file_upload(session, ada, left, filename, len(data))
            upload_path(row.id).write_bytes(data)
            complete_upload(session, ada, row.id)
        request_check(session, ada, left)
    run_model_import(left)
    assert model_of(left).status is ModelStatus.READY, model_of(left).error
    with session_scope() as session, pytest.raises(Conflict):
        restart_upload(session, ada, left)


def files_of(base: Path = BASE) -> dict[str, bytes]:
    return {name: (base / name).read_bytes() for name in NAMES}


def upload(actor: Actor, files: dict[str, bytes], name: str = "mine", kind: str = KIND) -> int:
    """Uploads the files and asks for the check, as page and REST do; the worker's part is called here."""
    with session_scope() as session:
        model_id = create_model_for_upload(session, actor, name, "", kind).id
    send(actor, model_id, files)
    with session_scope() as session:
        request_check(session, actor, model_id)
    run_model_import(model_id)
    return model_id


def send(actor: Actor, model_id: int, files: dict[str, bytes]) -> None:
    with session_scope() as session:
        for filename, data in files.items():
            row = create_file_upload(session, actor, model_id, filename, len(data))
            upload_path(row.id).write_bytes(data)
            complete_upload(session, actor, row.id)


def model_of(model_id: int) -> VideoModel:
    with session_scope() as session:
        return session.get_one(VideoModel, model_id)


def nothing_left(model_id: int) -> bool:
    with session_scope() as session:
        return not session.exec(select(Upload)).all() and not model_folder(model_id).exists()


def test_uploaded_files_become_a_base_that_trains(redis_server: RedisProcess, ada: Actor) -> None:
    model = model_of(upload(ada, files_of()))
    assert (model.status, model.error, model.family, model.architecture) == ("ready", "", "videomae", "VideoMAE")
    assert model.parameters > 800_000
    assert resolve(read_base(Path(model.path))).name == "videomae"
    with session_scope() as session:
        assert session.exec(select(Upload)).all() == []
        line = AdapterLine(owner_id=ada.user_id, name="moves", last_version=1)
        session.add(line)
        session.flush()
        names = {"name": "moves", "dataset_name": "d", "model_name": model.name, "model_revision": model.revision}
        known = {"owner_id": ada.user_id, "line_id": line.id or 0, "model_id": model.id, "version": 1}
        session.add(Adapter(**names, **known, kind=ResultKind.ADAPTER, source_job=1))
        session.flush()
        delete_model(session, ada, model.id or 0)
    assert not model_folder(model.id or 0).exists()
    # "Register it again" is true: the same weights are its base again.
    again = upload(ada, files_of(), "again")
    with session_scope() as session:
        assert session.exec(select(Adapter.model_id)).one() == again


def test_a_large_folder_is_read_by_a_worker_and_stays_where_it_lies(
    redis_server: RedisProcess, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "INLINE_CHECK_BYTES", 1_000)
    spoiled, folder = files_of(), get_settings().model_roots[0] / "base"
    not_finite(spoiled)
    folder.mkdir(parents=True)
    for name, data in spoiled.items():
        (folder / name).write_bytes(data)
    with session_scope() as session:
        row = folders.register_folder(session, ada, "large", "", str(folder))
    assert (row.status, row.details["stage"], row.revision) == ("processing", "checking", "")
    run_model_import(row.id)
    assert "not finite" in model_of(row.id).error
    (folder / "model.safetensors").write_bytes((BASE / "model.safetensors").read_bytes())
    with session_scope() as session:
        retry_import(session, ada, row.id)
    run_model_import(row.id)
    model = model_of(row.id)
    assert (model.status, model.error, model.path) == ("ready", "", str(folder))
    with session_scope() as session:
        delete_model(session, ada, row.id)
    assert (folder / "model.safetensors").exists()


def without(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.__delitem__(name)


def remote_code(files: dict[str, bytes]) -> None:
    files["config.json"] = json.dumps(json.loads(files["config.json"]) | {"auto_map": {"AutoModel": "x.Y"}}).encode()


def stranger(files: dict[str, bytes]) -> None:
    files["config.json"] = json.dumps({"model_type": "gpt2"}).encode()


def cut(files: dict[str, bytes]) -> None:
    files["model.safetensors"] = files["model.safetensors"][:-500]


def not_finite(files: dict[str, bytes]) -> None:
    path = Path("/tmp") / f"nan-{id(files)}.safetensors"
    weights = load_file(BASE / "model.safetensors")
    name = next(iter(weights))
    save_file(weights | {name: weights[name] * float("nan")}, path)
    files["model.safetensors"] = path.read_bytes()
    path.unlink()


def lost_shard(files: dict[str, bytes]) -> None:
    files["model.safetensors.index.json"] = json.dumps({"weight_map": {"a": "model-2.safetensors"}}).encode()


def other_config(**changed: Any) -> Callable[[dict[str, bytes]], None]:
    def spoil(files: dict[str, bytes]) -> None:
        files["config.json"] = json.dumps(json.loads(files["config.json"]) | changed).encode()

    return spoil


MISSING = [
    (without("config.json"), r"config\.json is missing"),
    (without("model.safetensors"), r"model\.safetensors is missing"),
    (without("preprocessor_config.json"), r"preprocessor_config\.json is missing"),
    (lost_shard, r"model-2\.safetensors is missing: the index names"),
]
BAD = [
    (remote_code, "run code of the model itself"),
    (stranger, "names the model type"),
    (cut, "damaged or truncated"),
    (not_finite, "not finite"),
    (other_config(num_hidden_layers=9), "tensors are missing or of another size, such as videomae.encoder.layer."),
    (other_config(hidden_size=64, num_attention_heads=4), "are missing or of another size"),
    (other_config(hidden_size=65, num_attention_heads=4), "The base model could not be loaded"),
    (other_config(num_hidden_layers=10**8), "sizes that no model can have"),
    (other_config(image_size=2**19), "sizes that no model can have"),
    (other_config(hidden_act=["gelu"]), "does not describe a model"),
]


def test_an_upload_that_lacks_a_file_keeps_what_arrived(redis_server: RedisProcess, ada: Actor) -> None:
    for number, (spoil, said) in enumerate(MISSING):
        files = files_of()
        spoil(files)
        with pytest.raises(Conflict, match=said):
            upload(ada, files, f"lacks {number}")
    with session_scope() as session:
        waits = session.exec(select(VideoModel.id).where(VideoModel.name == "lacks 2")).one() or 0
        assert {row.filename for row in list_uploads(session, ada, model_id=waits)} == set(NAMES[:2])
    send(ada, waits, {NAMES[2]: files_of()[NAMES[2]]})
    with session_scope() as session:
        request_check(session, ada, waits)
    run_model_import(waits)
    assert model_of(waits).status is ModelStatus.READY, model_of(waits).error


def test_of_two_files_of_one_name_the_one_at_the_top_is_the_models(redis_server: RedisProcess, ada: Actor) -> None:
    other = {"snap/1_Pooling/config.json": b'{"model_type": "gpt2"}'}
    with session_scope() as session:
        first, last = (create_model_for_upload(session, ada, name, "", KIND).id for name in ("first", "last"))
    whole = {f"snap/{name}": data for name, data in files_of().items()}
    send(ada, first, whole)
    with pytest.raises(Invalid, match=r"snap/config\.json is uploaded already"):
        send(ada, first, other)
    send(ada, last, other | whole)
    for model_id in (first, last):
        with session_scope() as session:
            request_check(session, ada, model_id)
        run_model_import(model_id)
        assert model_of(model_id).status is ModelStatus.READY, model_of(model_id).error


def test_every_bad_upload_ends_in_a_sentence(redis_server: RedisProcess, ada: Actor) -> None:
    for number, (spoil, said) in enumerate(BAD):
        files = files_of()
        spoil(files)
        model = model_of(upload(ada, files, f"bad {number}"))
        assert model.status == "error"
        assert said in model.error
        assert nothing_left(model.id or 0)
    wrong = model_of(upload(ada, files_of(), "wrong", kind="video_captioning"))
    assert "a model for classification" in wrong.error


def test_pickles_and_code_are_refused_before_a_byte_is_sent(redis_server: RedisProcess, ada: Actor) -> None:
    bob = make_person("bob")
    with session_scope() as session:
        model_id = create_model_for_upload(session, ada, "mine", "", KIND).id
        for name, said in (
            ("pytorch_model.bin", "safe_serialization"),
            ("modeling.py", "is code"),
            ("a.exe", "not part"),
            ("README.md", "a file other than the weights may have"),
        ):
            with pytest.raises(Invalid, match=said):
                create_file_upload(session, ada, model_id, name, 10**9)
        with pytest.raises(Conflict, match="No files have arrived"):
            request_check(session, ada, model_id)
        with pytest.raises(NotFound):
            create_file_upload(session, bob, model_id, "config.json", 10)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    more = {"pytorch_model.bin": b"pickled", "modeling_evil.py": b"import os", "README.md": b"# A base"}
    with hub_server("ada/motions", files_of() | more) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        get_settings.cache_clear()
        yield running


def fetch(actor: Actor, repo: str = "ada/motions", name: str = "fetched", **more: Any) -> VideoModel:
    with session_scope() as session:
        model_id = create_model_from_hub(session, actor, name, "", KIND, repo, **more).id
    run_model_import(model_id)
    return model_of(model_id)


def test_a_model_of_the_hub_is_pinned_and_has_no_code(redis_server: RedisProcess, ada: Actor, hub: HubServer) -> None:
    model = fetch(ada)
    assert (model.status, model.error, model.family) == ("ready", "", "videomae")
    assert model.details["hub_revision"] == SHA
    assert {path.name for path in Path(model.path).iterdir()} == {*NAMES, "README.md"}
    assert not any("evil" in path or ".bin" in path for _, path, _ in hub.asked)


def test_a_token_is_sent_to_the_hub_sealed_here_and_forgotten(
    redis_server: RedisProcess, ada: Actor, hub: HubServer
) -> None:
    hub.token = "hf_secret"
    refused = fetch(ada, name="closed")
    assert "gated" in refused.error
    with session_scope() as session:
        assert retry_import(session, ada, refused.id or 0).status == "processing"
    with session_scope() as session:
        model_id = create_model_from_hub(session, ada, "open", "", KIND, "ada/motions", token="hf_secret").id
        assert "hf_secret" not in str(session.get_one(VideoModel, model_id).details)
    run_model_import(model_id)
    model = model_of(model_id)
    assert (model.status, model.error) == ("ready", "")
    assert "sealed_token" not in model.details


def test_a_fetch_that_broke_off_goes_on_where_it_ended(
    redis_server: RedisProcess, ada: Actor, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = load_file(BASE / "model.safetensors") | {"padding": torch.zeros(4_000_000)}
    hub.files["model.safetensors"] = save(weights)
    hub.cut = {"model.safetensors": 15_000_000}
    broken = fetch(ada, name="large")
    assert broken.status == "error"
    assert "10.5\u00a0MB are stored; trying again within two days continues from there." in broken.error
    hub.cut, hub.fetched = {}, []
    with session_scope() as session:
        retry_import(session, ada, broken.id or 0)
    run_model_import(broken.id or 0)
    model = model_of(broken.id or 0)
    assert (model.status, model.error) == ("ready", "")
    assert hub.fetched == [("model.safetensors", 10 * 2**20)]
    assert (Path(model.path) / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    assert {path.name for path in Path(model.path).iterdir()} == {*NAMES, "README.md"}

    hub.cut = {"model.safetensors": 15_000_000}
    left = fetch(ada, name="left").id or 0
    delete_abandoned_uploads()
    assert partial_bytes(left)
    monkeypatch.setattr("orchestrator.services.models.adding.time.time", lambda: utcnow().timestamp() + 3 * 86_400)
    delete_abandoned_uploads()
    assert not model_folder(left).exists()


def test_a_missing_repository_is_reported(
    redis_server: RedisProcess, ada: Actor, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There is no model ada/nothing" in fetch(ada, "ada/nothing", "one").error
    processor = hub.files.pop("preprocessor_config.json")
    hub.fetched = []
    assert "preprocessor_config.json is missing. Choose" in fetch(ada, name="bare").error
    assert hub.fetched == []  # said before gigabytes are fetched in vain
    hub.files["preprocessor_config.json"] = processor
    del hub.files["model.safetensors"]
    assert "no .safetensors file" in fetch(ada, name="two").error
    hub.shutdown()
    hub.server_close()
    monkeypatch.setenv("LOREEL_FETCH_PATIENCE_S", "0.1")
    get_settings.cache_clear()
    assert "cannot be reached" in fetch(ada, name="three").error
    for repo in ("motions", "../../etc", "a/b/c", "https://evil.example/x"):
        with session_scope() as session, pytest.raises(Invalid, match="owner/name"):
            create_model_from_hub(session, ada, "four", "", KIND, repo)


def test_a_stored_token_opens_a_gated_model_that_failed(redis_server: RedisProcess, ada: Actor, hub: HubServer) -> None:
    hub.token = "hf_a_secret_one"
    refused, bob = fetch(ada, name="closed"), make_person("bob")
    with session_scope() as session:
        stored = save_token(session, ada, "mine", "hf_a_secret_one")
        with pytest.raises(NotFound):
            retry_import(session, bob, refused.id or 0, stored.id)
        retry_import(session, ada, refused.id or 0, stored.id)
    run_model_import(refused.id or 0)
    assert (model_of(refused.id or 0).status, model_of(refused.id or 0).error) == ("ready", "")
