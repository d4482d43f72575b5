"""Habits that let odd input through: `isdigit` before `int`, `urlsplit` unguarded, and `$` with `match`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ISDIGIT_ALLOWED = {
    "orchestrator/domain/numbers.py",  # the one parser
    "orchestrator/services/url_safety.py",  # any script's digits count as an address by number there, and are refused
    "jobs/trainer/rehearsal.py",  # names of layers
}

URLSPLIT_ALLOWED = {
    "orchestrator/domain/web_addresses.py",  # the one that never raises
    "orchestrator/services/url_safety.py",  # has a sentence of its own for what is no address
    "orchestrator/domain/local_path.py",  # paths: nothing of them is taken for a host
    "jobs/fetch/web.py",  # an address that was fetched
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("orchestrator", "jobs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def test_numbers_are_parsed_in_one_module() -> None:
    found = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("isdigit", "isnumeric", "isdecimal")
    }
    assert found <= ISDIGIT_ALLOWED, "use domain.numbers.parse_number"


def test_addresses_are_taken_apart_by_one_function() -> None:
    """`urlsplit` raises ValueError for `http://[a`, which any browser, form or annotation file may bring."""
    found = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "urllib.parse"
        and {"urlsplit", "urlparse"} & {alias.name for alias in node.names}
    }
    assert found <= URLSPLIT_ALLOWED, "use domain.web_addresses.split_address"


def test_no_pattern_accepts_a_line_end_behind_a_name() -> None:
    """`$` matches before a final newline: `fullmatch` without `$` does not."""
    ends = re.compile(r"(?<!\\)\$$")
    found = [
        f"{name}:{node.lineno}"
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "compile"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and node.args[0].value.startswith("^")
        and ends.search(node.args[0].value)
    ]
    assert not found
