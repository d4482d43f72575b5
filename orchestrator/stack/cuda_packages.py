"""`python cuda_packages.py torch==2.13.0`: prints how many GB of other packages torch's CUDA build would have brought.

It asks the package index that pip is set to use for names and sizes only, and downloads none of them. Prints nothing
where the index does not tell. `./loreel` runs it as a file, before any package is installed but pip.
"""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import urldefrag, urljoin
from urllib.request import Request, urlopen

from pip._internal.models.index import PyPI
from pip._vendor.packaging.markers import Marker
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.tags import sys_tags
from pip._vendor.packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

_JSON = "application/vnd.pypi.simple.v1+json"
_NAMES = ("nvidia-", "cuda-", "triton")
"""How the packages are called that only the CUDA build needs."""


class Untold(Exception):
    """The index does not say what is asked."""


def index_address() -> str:
    """The index that pip is set to use."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return (done.stdout.strip() or PyPI.simple_url).rstrip("/")


def extra_bytes(index: str, pin: str) -> int:
    """Bytes of all wheels that `pin` requires for CUDA on this machine, without its own.

    Raises:
        Untold: the index names no sizes or no requirements.
    """
    sizes: dict[str, int] = {}
    waiting = [Requirement(pin)]
    while waiting:
        requirement = waiting.pop()
        address, wheel = _wheel(index, requirement)
        name = canonicalize_name(requirement.name)
        if name.startswith(_NAMES):
            sizes[name] = wheel["size"]
        if not (wheel.get("core-metadata") or wheel.get("data-dist-info-metadata")):
            raise Untold
        for needed in _requirements(f"{address}.metadata", requirement.extras):
            if canonicalize_name(needed.name).startswith(_NAMES) and canonicalize_name(needed.name) not in sizes:
                waiting.append(needed)
    return sum(sizes.values())


def _wheel(index: str, requirement: Requirement) -> tuple[str, dict[str, Any]]:
    """Address and facts of the newest wheel that fits the requirement and this machine."""
    page = f"{index}/{canonicalize_name(requirement.name)}/"
    with urlopen(Request(page, headers={"Accept": _JSON}), timeout=10) as answer:
        files = json.load(answer)["files"]
    tags, fitting = set(sys_tags()), []
    for file in files:
        try:
            _, version, _, wheel_tags = parse_wheel_filename(file["filename"])
        except InvalidWheelFilename:
            continue
        if version.local is None and version in requirement.specifier and not wheel_tags.isdisjoint(tags):
            fitting.append((version, file))
    if not fitting or "size" not in max(fitting, key=lambda pair: pair[0])[1]:
        raise Untold
    file = max(fitting, key=lambda pair: pair[0])[1]
    return urldefrag(urljoin(page, file["url"])).url, file


def _requirements(address: str, extras: set[str]) -> list[Requirement]:
    with urlopen(address, timeout=10) as answer:
        lines = answer.read().decode().partition("\n\n")[0].splitlines()
    found = [Requirement(line.partition(":")[2].strip()) for line in lines if line.startswith("Requires-Dist:")]
    return [one for one in found if one.marker is None or _holds(one.marker, extras)]


def _holds(marker: Marker, extras: set[str]) -> bool:
    return any(marker.evaluate({"extra": extra}) for extra in extras | {""})


def main(pin: str) -> int:
    """Prints the number of GB, or nothing."""
    try:
        total = extra_bytes(index_address(), pin)
    except (Untold, OSError, ValueError, KeyError, TypeError):
        return 1
    if total:
        sys.stdout.write(f"{total / 1e9:.1f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
