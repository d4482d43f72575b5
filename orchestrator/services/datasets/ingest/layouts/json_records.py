"""Records of JSON files by their content: a list, JSON lines, a list inside an object, or an object keyed by clips."""

from collections.abc import Callable
from typing import Any

from orchestrator.domain.numbers import parse_number
from orchestrator.services.datasets.export_marks import CONVERSATIONS
from orchestrator.services.datasets.files import is_video
from orchestrator.services.datasets.ingest.layouts.annotation_texts import values_of_texts
from orchestrator.services.datasets.ingest.layouts.json_text import JsonText
from orchestrator.services.datasets.ingest.layouts.rows import Row, Rows
from orchestrator.services.datasets.ingest.layouts.splits import SPLITS
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines, name_lines

_WRAPPERS = ("data", "annotations", "samples", "items", "rows", "records", "examples", "entries", "clips", "videos")
_NO_OBJECT = "It is no object with keys."
_TURNS = frozenset({CONVERSATIONS, "messages", "conversations", "conversation"})


def looks_like_json(text: str) -> bool:
    """Whether a file's first character opens a JSON list or object."""
    return text.lstrip(" \t\r\n\ufeff")[:1] in ("{", "[")


def read_records(text: str, name: str, lines: bool, is_clip: Callable[[str], bool]) -> Rows:
    """The records of a JSON text, and sentences about what cannot be used.

    Args:
        name: the file's name for the sentences.
        lines: whether its ending says JSON lines; a single object is then a record.
        is_clip: whether a key names a clip of the upload.
    """
    parser = JsonText()
    try:
        value = parser.parse(text)
    except RecursionError:
        return Rows(problems=[f"{name} is nested too deeply to be read."])
    except ValueError as error:
        return _from_lines(text, name, lines, getattr(error, "lineno", 0))
    rows, unusable = records_of(value, is_clip)
    if not rows and lines and isinstance(value, dict):
        rows = [value]
    content = _entries(rows, unusable)
    content.notes = parser.notes(name)
    if unusable:
        content.problems = [f"{name} has {unusable:,} entries that are no objects; they cannot be used."]
    return content


def _entries(rows: list[Row], unusable: int = 0) -> Rows:
    """Rows that are entries of a list; the unusable ones are counted behind them."""
    count = len(rows)
    without = dict.fromkeys(range(count + 1, count + unusable + 1), _NO_OBJECT)
    return Rows(rows, list(range(1, count + 1)), "entry", without)


def _from_lines(text: str, name: str, lines: bool, error_line: int) -> Rows:
    content, parser = Rows(), JsonText()
    for number, line in filled_lines(text):
        value = _parsed(line, parser)
        if isinstance(value, dict):
            content.rows.append(value)
            content.numbers.append(number)
        else:
            content.unusable[number] = "It is not valid JSON."
    broken = list(content.unusable)
    content.notes = parser.notes(name)
    if broken and (chain := _chain(text, again := JsonText())):
        content = _entries(chain)
        content.notes = again.notes(name)
        return content
    if not broken:
        return content
    if text.lstrip().startswith("[") or (not lines and len(broken) > len(content.rows)):
        where = f" (line {error_line})" if error_line else ""
        return Rows(problems=[f"{name} is not valid JSON{where}. Correct it there."])
    content.problems = [f"{name} is not valid JSON in {name_lines(broken)}. Correct it there."]
    return content


def _parsed(line: str, parser: JsonText) -> Any:
    """The value of a line, which may end with a comma; None when it is damaged."""
    try:
        return parser.parse(line.removesuffix(","))
    except (ValueError, RecursionError):
        return None


def _chain(text: str, parser: JsonText) -> list[Row]:
    """Objects that follow each other over several lines; [] when the text is anything else."""
    decoder, rows, end = parser.decoder(), [], 0
    while (start := _next_value(text, end)) < len(text):
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, dict):
            return []
        rows.append(value)
    return rows


def _next_value(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,\ufeff":
        position += 1
    return position


def records_of(value: Any, is_clip: Callable[[str], bool]) -> tuple[list[Row], int]:
    """(the records in a JSON value, the number of entries that are none)."""
    value = _as_records(value)
    if isinstance(value, list):
        rows = [row for row in value if isinstance(row, dict)]
        return rows, len(value) - len(rows) if rows else 0
    if not isinstance(value, dict) or isinstance(value.get("sentences"), list):  # MSR-VTT has a reader of its own
        return [], 0
    if _keyed_by_clips(value, is_clip):
        return _keyed(value)
    lists = {key: items for key, items in value.items() if _is_record_list(items) and key not in _TURNS}
    if lists and all(key.lower() in SPLITS for key in lists):
        return [{"split": key} | row for key, items in lists.items() for row in items if isinstance(row, dict)], 0
    wrapper = next((key for key in _WRAPPERS if key in lists), next(iter(lists)) if len(lists) == 1 else None)
    return records_of(lists[wrapper], is_clip) if wrapper is not None and not _TURNS & value.keys() else ([], 0)


def _as_records(value: Any) -> Any:
    """The records of a table in JSON: a list of rows, or an object of columns; other values stay as they are."""
    if isinstance(value, dict) and isinstance(value.get("columns"), list) and _is_table(value.get("data")):
        return [dict(zip(map(str, value["columns"]), row, strict=False)) for row in value["data"]]
    if isinstance(value, dict) and (columns := _columns(value)):
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    if not _is_table(value):
        return value
    if not any(isinstance(cell, str) and is_video(cell) for cell in value[0]):
        return [dict(zip(map(str, value[0]), row, strict=False)) for row in value[1:]]
    if all(len(row) == 2 and isinstance(row[0], str) and is_video(row[0]) for row in value):
        return [
            {"file_name": row[0]} | text
            for row, text in zip(value, values_of_texts([str(row[1]) for row in value]), strict=True)
        ]
    return value


def _is_table(value: Any) -> bool:
    """Whether it is a list of rows with several cells, each a single value."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(row, list) and len(row) > 1 for row in value)
        and not any(isinstance(cell, dict | list) for row in value for cell in row)
    )


def _columns(value: dict[str, Any]) -> dict[str, list[Any]]:
    """The columns of an object of lists or of objects by row, of which one names videos; {} for other objects."""
    columns = {key: list(cells.values()) if isinstance(cells, dict) else cells for key, cells in value.items()}
    lengths = {len(cells) if isinstance(cells, list) else 0 for cells in columns.values()}
    if len(columns) < 2 or len(lengths) != 1 or not lengths.pop() or any(map(is_video, columns)):
        return {}
    names_films = any(all(isinstance(cell, str) and is_video(cell) for cell in cells) for cells in columns.values())
    return columns if names_films and not columns.keys() & SPLITS.keys() else {}


def _is_record_list(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _keyed_by_clips(value: dict[str, Any], is_clip: Callable[[str], bool]) -> bool:
    """Whether most keys name clips; keys without the ending of a video must all be found."""
    keys = list(value)[:200]
    if sum(map(is_video, keys)) * 2 > len(keys):
        return True
    # {"0": "run"} names the classes of numbers, although a clip may be called 0.mp4.
    return len(keys) > 1 and not all(parse_number(key) is not None for key in keys) and all(map(is_clip, keys))


def _keyed(value: dict[str, Any]) -> tuple[list[Row], int]:
    texts = {key: text for key, text in value.items() if isinstance(text, str)}
    rows: list[Row] = [
        {"file_name": key} | values for key, values in zip(texts, values_of_texts(list(texts.values())), strict=True)
    ]
    others = {key: item for key, item in value.items() if key not in texts}
    for key, item in others.items():
        if isinstance(item, dict):
            media = {"videos": [key]} if _TURNS & item.keys() and not {"video", "videos"} & item.keys() else {}
            rows.append(item | {"file_name": key} | media)
        elif isinstance(item, list) and item and all(isinstance(text, str | int | float) for text in item):
            rows.append(
                {"file_name": key, "caption": item}
                if any(" " in str(text) for text in item)
                else {"file_name": key, "label": item}
            )
        elif isinstance(item, int | float) and not isinstance(item, bool):
            rows.append({"file_name": key, "label": item})
    return rows, len(value) - len(rows)
