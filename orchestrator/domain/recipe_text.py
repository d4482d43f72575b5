"""Reads a recipe from YAML (or JSON, which is YAML): its fields, and by line what cannot be taken.

The file is never executed: only plain values are read, tags and aliases are refused, and its size is bounded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestrator.domain.errors import Invalid, TooLarge
from orchestrator.domain.plain_text import is_storable
from orchestrator.domain.recipe_fields import ValueKind
from orchestrator.domain.recipe_names import unknown_parameter
from orchestrator.domain.recipe_qlora import ALL_LINEAR
from orchestrator.domain.recipes import FIELDS, Recipe, parse_recipe

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
_TARGETS, _PATTERN = "qlora.target_modules", "qlora.target_pattern"
_FIELD = "recipe"
"""The field of a problem with the whole file."""
_PLAIN = "tag:yaml.org,2002:"
_TAGS = frozenset(
    f"{_PLAIN}{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_PARTS = frozenset(name.rpartition(".")[0] for name in FIELDS) - {""}
_SHOWN = 60
"""Letters of a value that a sentence shows."""


@dataclass(frozen=True, slots=True)
class RecipeProblem:
    """A line of the file that was not taken, and why."""

    field: str
    message: str
    line: int
    """From 1."""
    value: str
    """As it was written, shortened; "" where the line holds none."""


@dataclass(frozen=True, slots=True)
class RecipeText:
    """What a file says."""

    recipe: Recipe
    """With the defaults of what is missing or was not taken."""
    given: dict[str, Any] = field(default_factory=dict)
    """The values that were taken, by dotted name."""
    problems: list[RecipeProblem] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Parameters that the file does not name."""

    @property
    def given_parts(self) -> dict[str, Any]:
        """`given` by the parts of a recipe, as JSON values."""
        whole = self.recipe.model_dump(mode="json")
        parts: dict[str, Any] = {}
        for name in self.given:
            part, _, leaf = name.rpartition(".")
            (parts.setdefault(part, {}) if part else parts)[leaf] = whole[part][leaf] if part else whole[leaf]
        return parts


def read_recipe_text(text: str | bytes) -> RecipeText:
    """Reads a recipe file.

    Raises:
        TooLarge: it has more than `MAX_BYTES`. Invalid: it is not YAML, no mapping of names to values, or holds aliases
            or tags.
    """
    entries, problems = _entries(_root(_decoded(text)))
    raw, lines, written = _known(entries, problems)
    recipe = _parsed(raw, lines, written, problems)
    given = {name: known.value_in(recipe) for name, known in FIELDS.items() if name in raw}
    missing = [name for name in FIELDS if name not in lines]
    return RecipeText(recipe, given, sorted(problems, key=lambda problem: problem.line), missing)


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as YAML; `read_recipe_text` gives the same recipe."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)


class _Loader(yaml.SafeLoader):
    """Composes nodes without aliases and without endless nesting."""

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(AliasEvent):
            raise _refused("Aliases (*name) are not read. Write the value itself", self.peek_event().start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refused("This is nested too deep for a recipe", self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None and node.tag not in _TAGS:
            raise _refused(f"Tags ({node.tag}) are not read. Write the plain value", node.start_mark)
        return node


def _refused(what: str, mark: Any) -> Invalid:
    return Invalid(f"{what} (line {mark.line + 1})." if mark else f"{what}.", _FIELD)


def _decoded(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        raise TooLarge(f"A recipe may have {MAX_BYTES // 1024} KiB. This file is no recipe.", _FIELD)
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise Invalid("This file is not UTF-8 text. Choose the recipe.yaml of an adapter or a job.", _FIELD) from None
    if not is_storable(decoded):
        raise Invalid("This file holds a character that is no text. Choose a recipe.yaml.", _FIELD)
    return decoded


def _root(text: str) -> MappingNode:
    loader = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        what = str(error.problem or "It cannot be read")
        raise _refused(f"This is not YAML: {what}", error.problem_mark or error.context_mark) from None
    except yaml.YAMLError:
        raise Invalid("This is not YAML: it holds a character that YAML does not allow.", _FIELD) from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(root, MappingNode):
        raise Invalid("A recipe is a list of names with values, such as `optim:` and below it `epochs: 10`.", _FIELD)
    return root


def _entries(root: MappingNode) -> tuple[list[tuple[str, int, Node]], list[RecipeProblem]]:
    """(dotted name, line, value) of each entry; the parts of a recipe are opened, other mappings are not."""
    problems: list[RecipeProblem] = []

    def walk(node: MappingNode, prefix: str) -> Iterator[tuple[str, int, Node]]:
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                problems.append(RecipeProblem(prefix.rstrip(".") or _FIELD, "A name must be a word.", line, ""))
            elif (name := prefix + key.value) in _PARTS and isinstance(value, MappingNode):
                yield from walk(value, f"{name}.")
            elif name in _PARTS:
                if not _is_null(value):  # a part without any entry is an empty part
                    what = f"{name} must be followed by its parameters, each on a line of its own."
                    problems.append(RecipeProblem(name, what, line, _written(value)))
            else:
                yield name, line, value

    return list(walk(root, "")), problems


def _known(
    entries: list[tuple[str, int, Node]], problems: list[RecipeProblem]
) -> tuple[dict[str, Any], dict[str, int], dict[str, str]]:
    """The values of known parameters, with the line and the written form of each."""
    raw: dict[str, Any] = {}
    lines: dict[str, int] = {}
    written: dict[str, str] = {}
    for name, line, node in entries:
        text = _written(node)
        if name == _TARGETS and _is_pattern(node):
            name = _PATTERN
        if name not in FIELDS:
            problems.append(RecipeProblem(name[:80], unknown_parameter(name[:80], FIELDS), line, text))
        elif name in lines:
            what = f"{name} is given twice, first in line {lines[name]}, which counts."
            problems.append(RecipeProblem(name, what, line, text))
        else:
            raw[name], lines[name], written[name] = _value(node, FIELDS[name].kind), line, text
    return raw, lines, written


def _parsed(
    raw: dict[str, Any], lines: dict[str, int], written: dict[str, str], problems: list[RecipeProblem]
) -> Recipe:
    """The recipe of the values that are valid; the others become problems and are taken out of `raw`."""
    try:
        return parse_recipe(_nested(raw))
    except Invalid as error:
        bad = [(name, message) for name, message in error.problems if name in raw]
        if not bad:
            raise
    for name, message in bad:
        problems.append(RecipeProblem(name, message, lines[name], written[name]))
        del raw[name]
    return _parsed(raw, lines, written, problems)


def _nested(raw: dict[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in raw.items():
        part, _, leaf = name.rpartition(".")
        (nested.setdefault(part, {}) if part else nested)[leaf] = value
    return nested


def _value(node: Node, kind: ValueKind) -> Any:
    if isinstance(node, SequenceNode):
        return [_value(item, ValueKind.TEXT) for item in node.value]
    if isinstance(node, MappingNode) and kind is ValueKind.MAP:
        pairs = [(key.value, value) for key, value in node.value if isinstance(key, ScalarNode)]
        return {name: _value(value, ValueKind.COUNT) for name, value in pairs}
    if not isinstance(node, ScalarNode):
        return {}  # no other parameter takes a mapping, so that its sentence answers
    if _is_null(node):
        return None
    if kind in (ValueKind.TEXT, ValueKind.LIST) or node.style in ("'", '"'):
        return node.value
    tag = node.tag.removeprefix(_PLAIN)
    if tag == "bool" and kind is ValueKind.SWITCH:
        return yaml.SafeLoader.bool_values[node.value.lower()]
    return _number(node.value) if tag in ("int", "float") else node.value


def _number(text: str) -> Any:
    """A number as people write it; the other forms of YAML 1.1 (0b1, 1:30) stay texts, which no parameter takes."""
    plain = text.replace("_", "")
    if re.fullmatch(r"[-+]?(0|[1-9][0-9]{0,18})", plain):
        return int(plain)
    if re.fullmatch(r"[-+]?((0|[1-9][0-9]*)\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", plain):
        return float(plain)
    return text


def _is_pattern(node: Node) -> bool:
    """Whether the target modules are one text, which PEFT reads as a regular expression."""
    return isinstance(node, ScalarNode) and not _is_null(node) and node.value != ALL_LINEAR


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == f"{_PLAIN}null"


def _written(node: Node) -> str:
    """A value as the file has it, on one line and shortened."""
    if isinstance(node, ScalarNode):
        text = node.value
    else:
        mark, end = node.start_mark, node.end_mark
        text = str(mark.buffer or "")[mark.pointer : end.pointer] if mark.buffer else ""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}\u2026"
