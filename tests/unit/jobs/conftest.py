"""The base that the training runs of tests begin with."""

from pathlib import Path

import pytest

from orchestrator.settings import ROOT
from tests.fakes.bases import make_base

BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"


@pytest.fixture
def base() -> Path:
    """The shipped base; a module may have another one."""
    return BASE


@pytest.fixture(scope="session")
def smaller_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base("videomae", tmp_path_factory.mktemp("base"))
