"""`./loreel health [KIND ...]`: whether controller and workers of this host are alive, as an exit code for probes."""

import sys

from orchestrator.beats import LIMIT_S, Beating, read_beats
from orchestrator.domain.machines import PREP

KINDS = ("controller", "worker", PREP)


def describe(kind: str, beats: list[Beating]) -> tuple[bool, str]:
    """Whether all processes of this kind are well and there is one, and a line that says so."""
    own = [beat for beat in beats if beat.kind == kind]
    if not own:
        return False, f"{kind:<12} none     not running on this host"
    silent = [beat for beat in own if not beat.is_well]
    ages = ", ".join(f"process {beat.pid}: {beat.silent_s:.0f} s ago" for beat in own)
    mark = f"HANGS    no beat for {LIMIT_S:.0f} s;" if silent else "ok       last beat of"
    return not silent, f"{kind:<12} {mark} {ages}"


def main(arguments: list[str]) -> int:
    """Without names, all that run here, of which there must be one.

    Returns:
        0: they are well. 1: one hangs or is absent. 2: an unknown name.
    """
    unknown = [name for name in arguments if name not in KINDS]
    if unknown:
        print(f"loreel: there is no kind {unknown[0]!r}; there are: {', '.join(KINDS)}.", file=sys.stderr)
        return 2
    beats = read_beats()
    wanted = arguments or [kind for kind in KINDS if any(beat.kind == kind for beat in beats)]
    results = [describe(kind, beats) for kind in wanted]
    for _, line in results:
        print(line)
    if not results:
        print("Neither a controller nor a worker of this data folder runs on this host.")
    return 0 if results and all(well for well, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
