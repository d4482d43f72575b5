"""The page of charts: valid SVG for any number of measurements, and all of them as text."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from benchmarks import catalog
from benchmarks.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart, page, section
from benchmarks.figures import FIGURES, Figure
from benchmarks.measurements import Measurement

FIGURE = Figure("start", "warm_s", "`./loreel up` & more")
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


def measured(value: float | None, quiet: bool | None = True, date: str = "2026-11-26", **rest: str) -> Measurement:
    fields = {"bench": "start", "figure": "warm_s", "unit": "s", "machine": "two cores", "commit": "abc"} | rest
    return Measurement.model_validate(fields | {"value": value, "quiet": quiet, "date": date})


def circles(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter("circle"))


def test_the_page_has_every_figure_and_well_formed_charts() -> None:
    text = page()
    assert text.startswith("# ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(dict.fromkeys(figure.bench for figure in FIGURES))
    assert set(re.findall(r"^## (.+)$", text, re.MULTILINE)) == set(catalog.names())
    assert text.count("<figure>") == text.count("</figure>") == len(FIGURES)
    charts = SVG.findall(text)
    assert len(charts) > len(FIGURES) / 2
    for svg in charts:
        ElementTree.fromstring(svg)
        assert "<script" not in svg
    # An empty line would end the block of HTML and turn the rest into Markdown.
    assert not [block for block in re.findall(r"<figure>.*?</figure>", text, re.DOTALL) if "\n\n" in block]


def test_colours_come_from_the_page() -> None:
    for element in ElementTree.fromstring(chart(FIGURE, {"max": 3.0}, [measured(1.0), measured(2.0)])).iter():
        assert {element.get("fill"), element.get("stroke")} <= {None, "none", "currentColor"}


@pytest.mark.parametrize("value", [1.5, 0.0, -2.0])
def test_one_measurement_is_a_point_without_a_line(value: float) -> None:
    for target in (None, {"max": 3.0}, {"max": value}):
        svg = chart(FIGURE, target, [measured(value)])  # pyright: ignore[reportArgumentType]
        (point,) = circles(svg)
        assert "<polyline" not in svg
        assert LEFT < float(point.get("cx", "")) < WIDTH - RIGHT
        assert TOP <= float(point.get("cy", "")) <= HEIGHT - BOTTOM


def test_larger_values_stand_higher_and_later_ones_further_right() -> None:
    for values in ([1.0, 5.0, 3.0], [1.0, 5000.0, 30.0]):
        first, second, third = circles(chart(FIGURE, {"max": 4.0}, [measured(value) for value in values]))
        assert float(second.get("cy", "")) < float(third.get("cy", "")) < float(first.get("cy", ""))
        assert float(first.get("cx", "")) < float(second.get("cx", "")) < float(third.get("cx", ""))


def test_a_wide_range_is_logarithmic_and_says_so() -> None:
    wide = chart(FIGURE, None, [measured(10.0), measured(100.0), measured(1000.0)])
    low, middle, high = (float(point.get("cy", "")) for point in circles(wide))
    assert low - middle == pytest.approx(middle - high)
    assert "logarithmic" in wide
    assert "logarithmic" not in chart(FIGURE, None, [measured(10.0), measured(100.0)])
    assert "logarithmic" not in chart(FIGURE, None, [measured(0.0), measured(100.0)])


def test_only_unloaded_standard_measurements_are_filled_and_connected() -> None:
    all_kinds = [
        measured(1.0),
        measured(2.0, quiet=False),
        measured(3.0, quiet=None),
        measured(4.0, variant="another recipe"),
        measured(5.0),
    ]
    svg = chart(FIGURE, None, all_kinds)
    fills = [point.get("fill") for point in circles(svg)]
    assert fills == ["currentColor", "none", "none", "none", "currentColor"]
    (line,) = ElementTree.fromstring(svg).iter("polyline")
    assert len(line.get("points", "").split()) == 2


def test_a_sentence_instead_of_a_value_is_listed_but_not_drawn() -> None:
    sentence = measured(None, quiet=None, note="no GPU <here>")
    alone = section(FIGURE, {"max": 3.0}, [sentence])
    assert "<svg" not in alone
    assert "not measured; target ≤ 3 s" in alone
    assert "no GPU &lt;here&gt;" in alone
    both = section(FIGURE, {"max": 3.0}, [measured(2.0), sentence])
    assert len(circles(SVG.findall(both)[0])) == 1
    assert "2 measurements" in both
    assert "2 s on 2026-11-26; target ≤ 3 s, met" in both


def test_a_figure_that_was_never_measured_says_so() -> None:
    text = section(FIGURE, None, [])
    assert "<code>./loreel up</code> &amp; more" in text
    assert "not measured; no target" in text
    assert "<svg" not in text
    assert "<details" not in text


def test_many_days_leave_space_between_their_dates() -> None:
    days = [measured(1.0 + day, date=f"2026-11-{day + 1:02d}") for day in range(28)]
    svg = ElementTree.fromstring(chart(FIGURE, None, days))
    dates = [text for text in svg.iter("text") if (text.text or "").startswith("2026")]
    assert 3 <= len(dates) <= 8
    starts = [float(text.get("x", "")) for text in dates]
    assert all(after - before >= 70 for before, after in pairwise(starts))
