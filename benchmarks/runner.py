"""`./loreel bench [NAME]`: runs one benchmark and prints its figures as the last line, in JSON."""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.target import Target, meets

FOLDER = Path(__file__).parent
_NOT_BENCHES = {"__init__", "ledger", "plain_trainer", "rival", "rival_program"}
_NOT_BENCHES |= {"runner", "studio", "tabs", "target", "tiny_qwen", "tus"}


def names() -> list[str]:
    """Every benchmark, by file name with dashes."""
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("*.py") if path.stem not in _NOT_BENCHES)


def first_line(name: str) -> str:
    text = (FOLDER / f"{name.replace('-', '_')}.py").read_text()
    return text.split('"""')[1].splitlines()[0]


def main(arguments: list[str]) -> int:
    """Exit code 0 also for a missed target: a miss is reported, not hidden."""
    if not arguments:
        for name in names():
            print(f"{name:<12} {first_line(name)}")
        return 0
    name = arguments[0]
    if name not in names():
        print(f"loreel: there is no benchmark {name!r}; there are: {', '.join(names())}.", file=sys.stderr)
        return 1
    module = importlib.import_module(f"benchmarks.{name.replace('-', '_')}")
    targets: dict[str, Target] = module.TARGETS
    figures: dict[str, float] = module.run()
    ok = all(meets(figures.get(key), target) for key, target in targets.items())
    print(json.dumps({"bench": name, "figures": figures, "targets": targets, "ok": ok}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
