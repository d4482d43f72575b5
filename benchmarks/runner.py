"""`./loreel bench [NAME]`: runs one benchmark, prints its figures as JSON in the last line and records them."""

import importlib
import json
import os
import sys
from datetime import UTC, datetime

from benchmarks import catalog
from benchmarks.machine import current_commit, describe_machine, is_idle, load_average
from benchmarks.measurements import Measurement, append_history
from benchmarks.table import update_readme
from benchmarks.target import Unavailable, meets
from benchmarks.units import unit_of

NO_HISTORY = "--no-history"
_SETTINGS = ("LOREEL_BENCH_", "LOREEL_CHAOS_")
"""Variables that change what a bench measures: a run with one of them is recorded as a variant."""


def main(arguments: list[str]) -> int:
    """The name, or its beginning. Exit code 0 also for a missed target: a miss is reported, not hidden."""
    names = [argument for argument in arguments if argument != NO_HISTORY]
    if not names:
        for name in catalog.names():
            print(f"{name:<16} {catalog.summary(name)}")
        return 0
    name = _find(names[0])
    if name is None or len(names) > 1:
        given = " ".join(names)
        print(f"loreel: there is no benchmark {given!r}; there are: {', '.join(catalog.names())}.", file=sys.stderr)
        return 1
    module = importlib.import_module(catalog.module_name(name))
    started, load = datetime.now(UTC), load_average()
    try:
        figures: dict[str, float] = module.run()
    except Unavailable as reason:
        print(reason)
        return 0
    if NO_HISTORY not in arguments:
        _record(measurements(name, figures, started, load))
    targets = catalog.targets(name)
    ok = all(meets(figures.get(key), target) for key, target in targets.items())
    print(json.dumps({"bench": name, "figures": figures, "targets": targets, "ok": ok}))
    return 0


def measurements(name: str, figures: dict[str, float], started: datetime, load: float) -> list[Measurement]:
    """One for each figure of a run, with what its value depends on."""
    machine, commit = describe_machine(), current_commit()
    settings = sorted(f"{key}={value}" for key, value in os.environ.items() if key.startswith(_SETTINGS))
    return [
        Measurement(
            date=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            bench=name,
            figure=key,
            value=value,
            unit=unit_of(key),
            quiet=is_idle(load),
            load=load,
            machine=machine,
            commit=commit,
            variant=", ".join(settings),
        )
        for key, value in figures.items()
    ]


def _find(asked: str) -> str | None:
    names = catalog.names()
    found = [name for name in names if name == asked] or [name for name in names if name.startswith(asked)]
    return found[0] if len(found) == 1 else None


def _record(run: list[Measurement]) -> None:
    """Appends the run to the history and updates the README's table. A read-only checkout only loses the record."""
    try:
        append_history(run)
        update_readme()
    except OSError as error:
        print(f"loreel: the run is not recorded in benchmarks/history.jsonl: {error}", file=sys.stderr)
        return
    if run and not run[0].quiet:
        print(f"loreel: recorded as not quiet: the load average was {run[0].load} at the start.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
