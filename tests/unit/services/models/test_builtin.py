"""The shipped bases are registered once, follow their folder, and a damaged one says so."""

import json
import struct
from pathlib import Path

from sqlmodel import Session, select

from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.services.db import session_scope
from orchestrator.services.models.builtin import ensure_builtin


def write_base(folder: Path, value: bytes = b"\0") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "videomae", "num_frames": 8, "image_size": 48}))
    name, data = "encoder.layer.0.attention.query.weight", value * 64
    head = json.dumps({name: {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)


def the_model(session: Session) -> VideoModel:
    return session.exec(select(VideoModel)).one()


def test_registered_once_and_followed(home: Path, tmp_path: Path) -> None:
    write_base(tmp_path / "videomae-tiny")
    with session_scope() as session:
        assert [ensure_builtin(session, tmp_path) for _ in range(3)] == [1, 0, 0]
        model = the_model(session)
        assert (model.name, model.owner_id, model.status) == ("Tiny VideoMAE", None, ModelStatus.READY)
        assert [group["suffix"] for group in model.details["layers"]] == ["query"]
        first = model.revision
        write_base(tmp_path / "videomae-tiny", b"\1")
        assert ensure_builtin(session, tmp_path) == 1
        assert the_model(session).revision != first


def test_a_damaged_base_says_so(home: Path, tmp_path: Path) -> None:
    write_base(tmp_path / "videomae-tiny")
    with session_scope() as session:
        ensure_builtin(session, tmp_path)
        (tmp_path / "videomae-tiny" / "model.safetensors").write_bytes(b"cut")
        ensure_builtin(session, tmp_path)
        assert the_model(session).status is ModelStatus.ERROR
        assert ensure_builtin(session, tmp_path / "nowhere") == 0
