"""Paths of unpacked files: inside the target folder, unused, and never through a link."""

from pathlib import Path

import pytest

from orchestrator.services.datasets.ingest.target_folder import TargetFolder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_folders_are_made_and_names_are_never_used_twice(target: Path) -> None:
    paths = TargetFolder(target)
    first = paths.path_for("a/b\\c.mp4")
    assert first is not None
    assert first == target / "a/b/c.mp4"
    assert first.parent.is_dir()
    first.touch()
    assert paths.path_for("a/b/c.mp4") == target / "a/b/c (2).mp4"


@pytest.mark.parametrize(
    "name",
    [
        "../a.mp4", "a/../../b.mp4", "/etc/a.mp4", "a/../../target2/x", "", ".", "a/..", "..", "../target", "..\\a.mp4",
        "a\\..\\..\\b.mp4", "/", "//server/a.mp4", "a/./../../b", "a\0.mp4", "a\0/../../b", "\0",
    ],
)  # fmt: skip
def test_nothing_is_outside(name: str, target: Path, tmp_path: Path) -> None:
    assert TargetFolder(target).path_for(name) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["target"]


def test_links_are_not_followed(target: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (target / "folder").symlink_to(outside)
    (target / "file.mp4").symlink_to(outside / "new.mp4")
    paths = TargetFolder(target)
    assert (paths.path_for("folder/a.mp4"), paths.path_for("file.mp4")) == (None, None)
    assert list(outside.iterdir()) == []
