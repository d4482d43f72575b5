"""A label that a spreadsheet would run stands in an export as text, and comes back as it was."""

import csv
import io

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.export import plan_export
from orchestrator.services.db import session_scope
from orchestrator.services.formula_cells import escape_formula, unescape_formula
from orchestrator.settings import get_settings
from tests.studio import make_things


@pytest.mark.parametrize(
    "text",
    ["=cmd|' /C calc'!A0", "+1", "-left", "@SUM(A1)", "\tx", "'=a", "''+b", "\n=1", "\r=1", "\uff1d1+1", "\uff20SUM"],
)
def test_formulas_become_text_and_come_back(text: str) -> None:
    escaped = escape_formula(text)
    assert escaped[0] == "'"
    assert escaped[1:] == text
    assert unescape_formula(escaped) == text


@pytest.mark.parametrize("text", ["left", "", "'tis", "a=b", "Zoë"])
def test_plain_texts_stay(text: str) -> None:
    assert escape_formula(text) == text == unescape_formula(text)


def test_the_table_of_an_export_holds_no_bare_formula(ada: Actor) -> None:
    dataset_id, _ = make_things(ada, clips=1)
    with session_scope() as session:
        for clip in session.exec(select(Clip).where(Clip.dataset_id == dataset_id)):
            clip.name, clip.label, clip.caption, clip.prompt = "=1+1.mp4", "=cmd", "+2", "@SUM(A1)"
            path = get_settings().storage_dir / clip.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"film")
        session.flush()
        table = plan_export(session, ada, dataset_id, "videofolder").texts["metadata.csv"]
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert {"'=cmd", "'+2", "'@SUM(A1)"} <= set(cells)
    assert [cell for cell in cells if cell != escape_formula(cell) and not cell.startswith("'")] == []
