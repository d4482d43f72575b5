"""`python -m benchmarks.table`: writes the table of README.md from the declared figures and the recorded runs."""

from pathlib import Path

from benchmarks import catalog
from benchmarks.figures import FIGURES, Figure
from benchmarks.measurements import Measurement, group_by_figure, latest, load_history
from benchmarks.target import Target, meets
from benchmarks.units import format_target, format_value

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table: written by `python -m benchmarks.table` -->", "<!-- end of table -->"
COLUMNS = ("bench", "figure", "target", "latest quiet measurement", "machine", "date", "met")


def table(history: list[Measurement]) -> str:
    """The table in Markdown, one figure a row."""
    groups = group_by_figure(history)
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    rows += [cells(figure, latest(groups[figure.bench, figure.key])) for figure in FIGURES]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cells(figure: Figure, newest: Measurement | None) -> tuple[str, ...]:
    """One row. A figure that was measured under load only is shown, and marked."""
    target = catalog.targets(figure.bench).get(figure.key)
    name = (f"`{figure.bench}`", figure.label, format_target(target, figure.unit))
    if newest is None or newest.value is None:
        return (*name, "not measured", "-", "-", "-")
    value = format_value(newest.value, figure.unit) + ("" if newest.counts else ", under load")
    met = verdict(newest, target)
    return (*name, value, newest.machine, newest.day, f"**{met}**" if met == "no" else met)


def verdict(newest: Measurement, target: Target | None) -> str:
    """Whether the target is met. A miss under load shows nothing."""
    if target is None:
        return "-"
    if meets(newest.value, target):
        return "yes"
    return "no" if newest.counts else "not shown"


def with_table(text: str, table_text: str) -> str:
    """The README's text with its table replaced.

    Raises:
        ValueError: the markers are missing.
    """
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n{table_text}\n{END}{after}"


def update_readme() -> None:
    """Brings README.md up to date with history.jsonl."""
    README.write_text(with_table(README.read_text(), table(load_history())))


if __name__ == "__main__":
    update_readme()
