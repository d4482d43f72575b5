"""The clips of a run stand in one file that all runs share, and a trainer reads them one at a time."""

import json
import multiprocessing
import os
import pickle
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.runs import manifest
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.manifest import ManifestClips, delete_unused_manifests, link_manifest, read_manifest, write_manifest
from jobs.runs.spec import TrainSpec
from jobs.trainer.entrypoint import main
from jobs.trainer.setup import check_clips, plan_run
from jobs.trainer.split import split_clips
from orchestrator.domain.errors import Invalid
from tests.unit.jobs.trainer.conftest import MakeSpec, clips, make_spec

__all__ = ["clips", "make_spec"]


def some(count: int) -> list[ClipSpec]:
    labels = ("runs", "geht \u00fcber\u2028die Stra\u00dfe\n")
    return [
        ClipSpec(n, f"/clips/{n}.mp4", labels[n % 2], f"caption {n}", "auto", f"hash {n}", annotations={"captions": []})
        if n % 3
        else ClipSpec(n, f"/clips/{n}.mp4", labels[n % 2], "", "auto", "film", f"{n}", 50, "what?", {}, 1.5, float(n))
        for n in range(count)
    ]


shared: list[ManifestClips] = []


def read_shared(index: int) -> ClipSpec:
    return shared[0][index]


def test_it_gives_back_what_was_written(tmp_path: Path) -> None:
    path, digest = write_manifest(some(100), tmp_path / "shared")
    found = read_manifest(path, digest)
    assert list(found) == some(100)
    assert [found[n] for n in (0, 99, 7, -1)] == [some(100)[n] for n in (0, 99, 7, -1)]
    assert found[2:5] == some(100)[2:5]
    assert len(found) == 100
    some_of_them = found.subset([3, 4, 50]).subset([0, 2])
    assert [clip.id for clip in some_of_them] == [some_of_them[0].id, some_of_them[1].id] == [3, 50]
    with pytest.raises(IndexError):
        _ = found[100]
    assert list(split_clips(found, 0.3, 7).train) == list(split_clips(some(100), 0.3, 7).train)
    assert list(split_clips(found, 0.3, 7).validation) == list(split_clips(some(100), 0.3, 7).validation)
    assert list(read_manifest(*write_manifest([], tmp_path / "shared"))) == []


def test_forked_processes_read_it_at_the_same_time(tmp_path: Path) -> None:
    shared.append(read_manifest(*write_manifest(some(400), tmp_path)))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(read_shared, range(400), chunksize=3) == some(400)
    assert list(pickle.loads(pickle.dumps(shared.pop()))) == some(400)


def test_it_is_written_once_and_stays_while_an_attempt_links_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    path, digest = write_manifest(some(5), folder)
    link_manifest(path, tmp_path / "clips.jsonl")
    assert write_manifest(some(5), folder) == (path, digest)
    assert [entry.name for entry in folder.iterdir()] == [f"{digest}.jsonl"]
    assert path.samefile(tmp_path / "clips.jsonl")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    os.utime(path, (1, 1))
    assert delete_unused_manifests(folder) == 0
    (tmp_path / "clips.jsonl").unlink()
    os.utime(path)
    assert delete_unused_manifests(folder) == 0  # a moment old
    os.utime(path, (1, 1))
    assert delete_unused_manifests(folder) == 1
    assert list(folder.iterdir()) == []


def test_a_disk_without_links_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    path, digest = write_manifest(some(5), tmp_path / "shared")
    monkeypatch.setattr(os, "link", refuse)
    link_manifest(path, tmp_path / "clips.jsonl")
    assert list(read_manifest(tmp_path / "clips.jsonl", digest)) == some(5)
    assert stat.S_IMODE((tmp_path / "clips.jsonl").stat().st_mode) == 0o600


def test_a_spec_names_its_manifest_and_an_old_one_holds_its_clips(make_spec: MakeSpec) -> None:
    old = make_spec()
    folder = Path(old.folder)
    old.save(folder / "old.json")
    raw = json.loads((folder / "old.json").read_text())
    del raw["manifest"], raw["manifest_hash"]
    (folder / "old.json").write_text(json.dumps(raw))
    assert TrainSpec.load(folder / "old.json") == old
    path, digest = write_manifest(old.clips, folder / "shared")
    link_manifest(path, folder / "clips.jsonl")
    replace(old, clips=[], manifest="clips.jsonl", manifest_hash=digest).save(folder / "spec.json")
    loaded = TrainSpec.load(folder / "spec.json")
    assert list(loaded.clips) == old.clips
    replace(loaded, restarted=True).save(folder / "spec.json")
    assert (folder / "spec.json").stat().st_size < 5_000
    again = TrainSpec.load(folder / "spec.json")
    assert (list(again.clips), again.restarted) == (old.clips, True)


def test_a_damaged_manifest_is_a_sentence(make_spec: MakeSpec) -> None:
    spec = make_spec()
    folder = Path(spec.folder)
    path, digest = write_manifest(spec.clips, folder / "shared")
    replace(spec, clips=[], attempt=3, manifest="clips.jsonl", manifest_hash=digest).save(folder / "spec.json")
    with pytest.raises(Invalid, match="missing or damaged"):
        TrainSpec.load(folder / "spec.json")
    (folder / "clips.jsonl").write_bytes(path.read_bytes()[:-9])
    assert main(folder / "spec.json") == 1
    result = json.loads((folder / "result.json").read_text())
    assert (result["status"], result["attempt"]) == ("failed", 3)
    assert "missing or damaged" in result["error"]


def test_a_trainer_parses_each_line_twice_until_its_plan_is_checked(
    make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(make_spec(), clips=read_manifest(*write_manifest(clips, tmp_path / "shared")))
    read_line, lines = manifest._read_line, list[bytes]()
    monkeypatch.setattr(manifest, "_read_line", lambda line: lines.append(line) or read_line(line))
    family, splits, plan, annotations = plan_run(spec)
    assert check_clips(spec, plan, annotations) == []
    assert family.caption_warnings(plan, annotations.captions, annotations.conversations) == []
    held_out = min(3, len(splits.validation))
    assert len(lines) == 2 * len(clips) + held_out  # for the split, for what is written, and for the contract
