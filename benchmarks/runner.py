"""`./loreel bench [NAME]`: runs one benchmark and prints its figures as the last line, in JSON."""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.target import Target, Unavailable, meets

FOLDER = Path(__file__).parent
_NOT_BENCHES = {"__init__", "ledger", "plain_trainer", "rival", "rival_program"}
_NOT_BENCHES |= {"runner", "studio", "tabs", "target", "tiny_qwen", "tus", "words"}


def names() -> list[str]:
    """Every benchmark, by file name with dashes."""
    files = [path.stem for path in FOLDER.glob("*.py") if path.stem not in _NOT_BENCHES]
    return sorted(
        name.replace("_", "-") for name in [*files, *(path.parent.name for path in FOLDER.glob("*/bench.py"))]
    )


def first_line(name: str) -> str:
    stem = name.replace("-", "_")
    path = FOLDER / f"{stem}.py"
    text = (path if path.exists() else FOLDER / stem / "bench.py").read_text()
    return text.split('"""')[1].splitlines()[0]


def main(arguments: list[str]) -> int:
    """The name, or its beginning. Exit code 0 also for a missed target: a miss is reported, not hidden."""
    if not arguments:
        for name in names():
            print(f"{name:<12} {first_line(name)}")
        return 0
    asked = arguments[0]
    found = [name for name in names() if name == asked] or [name for name in names() if name.startswith(asked)]
    if len(found) != 1:
        print(f"loreel: there is no benchmark {asked!r}; there are: {', '.join(names())}.", file=sys.stderr)
        return 1
    name = found[0]
    stem = name.replace("-", "_")
    module = importlib.import_module(f"benchmarks.{stem}.bench" if (FOLDER / stem).is_dir() else f"benchmarks.{stem}")
    targets: dict[str, Target] = module.TARGETS
    try:
        figures: dict[str, float] = module.run()
    except Unavailable as said:
        print(said)
        return 0
    ok = all(meets(figures.get(key), target) for key, target in targets.items())
    print(json.dumps({"bench": name, "figures": figures, "targets": targets, "ok": ok}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
