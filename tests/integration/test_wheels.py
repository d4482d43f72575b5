"""Each pinned package can be installed from a wheel on every platform and Python that Loreel is for.

Asks the package index that pip is set to use for names only, and downloads nothing.
"""

import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from orchestrator.settings import ROOT
from orchestrator.stack.cuda_packages import index_address

PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
JSON = "application/vnd.pypi.simple.v1+json"
TRUST = ssl.create_default_context()
WITHOUT_WHEEL = {"docopt", "rouge-score"}
"""Plain Python, which pip builds anywhere; docs/quick-start.md says so."""


def linux(machine: str) -> list[str]:
    numbered = [f"manylinux_2_{minor}_{machine}" for minor in range(39, 4, -1)]
    return numbered + [f"manylinux{year}_{machine}" for year in ("2014", "2010", "1")]


PLATFORMS = {
    "Linux on x86-64": linux("x86_64"),
    "Linux on ARM": linux("aarch64"),
    "macOS on Apple silicon": list(mac_platforms((14, 0), "arm64")),
}


def tags(python: tuple[int, int], platforms: list[str]) -> set[Tag]:
    interpreter = f"cp{python[0]}{python[1]}"
    return {*cpython_tags(python, platforms=platforms), *compatible_tags(python, interpreter, platforms)}


def wheels(index: str, pin: Requirement) -> list[frozenset[Tag]]:
    """The tags of each wheel of the pinned version."""
    address = f"{index}/{canonicalize_name(pin.name)}/"
    with urlopen(Request(address, headers={"Accept": JSON}), timeout=30, context=TRUST) as page:
        files = json.load(page)["files"]
    found: list[frozenset[Tag]] = []
    for file in files:
        parts = file["filename"].split("-")
        if len(parts) < 5 or not str(pin.specifier).endswith(parts[1].partition("+")[0]):
            continue  # of the thousands of files of an old package few are parsed
        try:
            _, version, _, wheel_tags = parse_wheel_filename(file["filename"])
        except InvalidWheelFilename:
            continue
        if version.public in pin.specifier:
            found.append(wheel_tags)
    return found


def pins() -> list[Requirement]:
    """Every pin of the lock, with the marker that requirements.txt gives it."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    given = (ROOT / "requirements.txt").read_text().splitlines()
    marked = {one.name: one for one in map(Requirement, (line for line in given if "==" in line))}
    locked = [Requirement(line) for line in lines if "==" in line and not line.startswith("#")]
    return [marked.get(one.name, one) for one in locked]


def test_each_pin_has_a_wheel_where_loreel_runs() -> None:
    index, wanted = index_address(), pins()
    assert len(wanted) > 200
    try:
        wheels(index, wanted[0])
    except HTTPError as refused:
        pytest.fail(f"the package index has no {wanted[0].name}: {refused}")
    except (URLError, OSError, ValueError) as error:
        pytest.skip(f"the package index does not answer in JSON: {error}")
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda pin: _with_patience(index, pin), wanted))
    targets = {
        (name, f"{python[0]}.{python[1]}"): tags(python, platforms)
        for name, platforms in PLATFORMS.items()
        for python in PYTHONS
    }
    missing = [
        f"{pin} on {name}, Python {python}"
        for pin, its_wheels in zip(wanted, found, strict=True)
        for (name, python), fitting in targets.items()
        if pin.name not in WITHOUT_WHEEL
        and (pin.marker is None or pin.marker.evaluate({"python_version": python}))
        and fitting.isdisjoint(tag for wheel in its_wheels for tag in wheel)
    ]
    assert missing == []


def _with_patience(index: str, pin: Requirement) -> list[frozenset[Tag]]:
    for _ in range(3):
        try:
            return wheels(index, pin)
        except HTTPError:
            return []
        except OSError:  # a name server that is busy for a moment
            continue
    return wheels(index, pin)
