"""`./loreel audit`: verification as an exit code, the list and the export."""

import csv
import io
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from orchestrator.domain.audit import Act
from orchestrator.services.audit.recording import Person, record
from orchestrator.services.db import session_scope
from orchestrator.stack.audit import main


@pytest.fixture
def written(home: Path) -> None:
    for name in ("one", "two", "three"):
        with session_scope() as session:
            record(session, Person(1, "ada"), Act.DATASET_CREATED, 1, name)


def test_verify_names_the_entry_that_was_changed(written: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("ok       3 entries agree; the newest is 3:")
    known = said.split()[-1]
    assert main(["verify", "--known", known]) == 0
    assert main(["verify", "--known", known[:-1] + ("0" if known[-1] != "0" else "1")]) == 1
    assert "the log was rewritten" in capsys.readouterr().out
    assert main(["verify", "--known", "3"]) == 2
    with session_scope() as session:
        session.connection().execute(text("UPDATE audit_entries SET object_name = 'x' WHERE id = 2"))
    capsys.readouterr()
    assert main(["verify"]) == 1
    assert capsys.readouterr().out.startswith("CHANGED  Entry 2 was changed after it was written")


def test_list_and_export(written: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--limit", "2", "--who", "AD"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["two", "three"]
    assert main(["export", "--acts", "dataset"]) == 0
    assert [json.loads(line)["object_name"] for line in capsys.readouterr().out.splitlines()] == ["one", "two", "three"]
    assert main(["export", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[-1]["act"] == "audit.exported"
    assert rows[-1]["actor"].startswith("command line (")
    assert main(["list", "--acts", "nonsense"]) == 2
    assert "Choose acts or kinds of objects" in capsys.readouterr().err
