"""The wrappers of the kit hand the right props over, and every status of the domain has its look."""

import re
from pathlib import Path

import pytest
import reflex as rx

from orchestrator.domain.datasets import DatasetStatus
from orchestrator.domain.models import ModelStatus
from orchestrator.domain.training_jobs import JobStatus
from orchestrator.ui import kit
from orchestrator.ui.packages import pinned
from orchestrator.ui.primitives.badge import TONES
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.progress import progress

UI = Path(kit.__file__).parent
CHIP = (UI / "primitives" / "status_chip.tsx").read_text()


def _props(component: rx.Component) -> str:
    return str(component.render()["props"])


def test_every_status_of_the_domain_has_colour_icon_and_word() -> None:
    known = dict(re.findall(r"^  (\w+): \{ (tone: .+?) \},$", CHIP, re.MULTILINE))
    for status in [*JobStatus, *DatasetStatus, *ModelStatus, "in_use", "waiting"]:
        look = known[str(status)]
        assert re.search(r'tone: "\w+", icon: \w+, word: "[A-Z]', look), status


def test_tones_are_the_same_in_python_and_tsx() -> None:
    table = CHIP.split("tones: Record<Tone, string> = {", 1)[1].split("};", 1)[0]
    assert dict(re.findall(r'(\w+): "([^"]+)"', table)) == TONES


@pytest.mark.parametrize("variant", ["primary", "outline", "secondary", "ghost", "destructive", "danger", "link"])
def test_button_variants_exist_in_the_tsx(variant: str) -> None:
    assert re.search(rf"^\s+{variant}: ", (UI / "primitives" / "button.tsx").read_text(), re.MULTILINE)
    assert f'variant:"{variant}"' in _props(button("Go", variant=variant))  # pyright: ignore[reportArgumentType]


def test_button_is_a_submit_only_when_asked() -> None:
    assert 'type:"button"' in _props(button("Go"))
    assert 'type:"submit"' in _props(button("Go", submit=True))


def test_absent_props_are_left_to_the_component() -> None:
    assert "value" not in _props(text_input(name="a"))
    assert "error" not in _props(field("Name", text_input(name="a"), hint="Short"))


def test_options_take_three_shapes() -> None:
    assert kit.as_options(["a"]) == [{"value": "a", "label": "a"}]
    assert kit.as_options([("a", "A")]) == [{"value": "a", "label": "A"}]
    assert kit.as_options([{"value": "a", "label": "A", "hint": "h"}]) == [{"value": "a", "label": "A", "hint": "h"}]


def test_progress_says_its_value() -> None:
    shown = _props(progress(62, label="Progress"))
    assert "62" in shown
    assert "progressbar" in shown


def test_packages_are_pinned_exactly() -> None:
    (pin,) = pinned("uplot")
    assert re.fullmatch(r"uplot@\d+\.\d+\.\d+", pin)
    used = set()
    for source in [*UI.rglob("*.tsx"), *UI.rglob("*.ts")]:
        used |= set(re.findall(r'from "((?:@[\w-]+/)?[\w-]+)(?:/[^"]*)?"', source.read_text()))
    ours = {name for name in used if name not in {"react", "react-dom", "react-router"}}
    for name in ours:
        assert pinned(name), name
