"""A checkout that cannot be written to, as in an image with a read-only root: what is built is used."""

from pathlib import Path

import pytest

from orchestrator.stack import frontend
from orchestrator.stack.docs import site
from orchestrator.stack.errors import StackError


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so a file stands where the folder would be."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(frontend, "STATE_DIR", tmp_path / "file" / ".loreel")


@pytest.mark.parametrize(("module", "build"), [(frontend, frontend.build), (site, site.build)])
def test_what_is_built_needs_no_lock(
    read_only: None, monkeypatch: pytest.MonkeyPatch, module: object, build: object
) -> None:
    monkeypatch.setattr(module, "is_built", lambda *_: True)
    assert callable(build)
    assert build() is False


@pytest.mark.parametrize(("module", "build"), [(frontend, frontend.build), (site, site.build)])
def test_what_must_be_built_is_a_sentence(
    read_only: None, monkeypatch: pytest.MonkeyPatch, module: object, build: object
) -> None:
    monkeypatch.setattr(module, "is_built", lambda *_: False)
    assert callable(build)
    with pytest.raises(StackError, match="cannot be written to"):
        build()
