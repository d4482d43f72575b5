"""Tables of separated values, in the notations that spreadsheets, databases and scripts write."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.numbers import parse_number
from orchestrator.services.datasets.files import is_video
from orchestrator.services.datasets.ingest.layouts.rows import Rows
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines, name_lines, text_lines
from orchestrator.services.formula_cells import unescape_formula

SEPARATORS = ",;\t|"
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)
_COMMENTS = re.compile(r"\A(?:[ \t]*#[^\r\n,;\t|]*(?:\r\n|\r|\n))+")
"""Remarks before the header of a table; their lines are left empty, so that the numbers of the others are right."""
_TEXT_COLUMNS = frozenset(
    {"caption", "captions", "text", "sentence", "description", "prompt_text", "transcript", "name", "answer"}
    | {"response", "question", "query"}
)
"""Last columns whose text may have separators without quotation marks around it."""
_MAX_HEADER = 2**16
_NAN = frozenset({"nan", "NaN"})
"""What programs write for a value that is missing. None, null and NA are words: a class may have such a name."""
_TOO_WIDE = "It has more cells than the header has columns."
BROKEN_QUOTES = "Its quotation marks are not closed, or not doubled inside a text."
_QUOTED_SEPARATOR = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table.

    Attributes:
        number: the line of the file at which it begins; the first is 1.
        cells: its values.
        raw: the text of the line where quotation marks have no meaning in it; "" for other lines.
    """

    number: int
    cells: list[str]
    raw: str = ""


@dataclass(slots=True)
class Cells:
    """The rows of a table, and the numbers of the lines whose quotation marks cannot be understood."""

    lines: list[Line] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)


def read_table(text: str, name: str) -> Rows:
    """The rows of a table with a header, and sentences about lines that were joined or left out.

    Args:
        name: the file's name for the sentences.

    Raises:
        csv.Error: a cell is larger than the limit.
    """
    text = _COMMENTS.sub(lambda match: re.sub(r"[^\r\n]", "", match[0]), text)
    first = first_line(text)
    stated = _SEPARATOR_LINE.fullmatch(first)
    separator = stated[1] if stated else separator_of(first)
    if not separator:
        return Rows()
    if stated:  # the line stays, so that the numbers of the others are right
        text = text.replace(first, "", 1)
    cells = read_cells(text, separator)
    lines = cells.lines
    if not lines or any(is_video(cell.strip()) for cell in lines[0].cells):
        return Rows()  # a list without a header
    header = column_names(lines[0].cells, max((len(line.cells) for line in lines[1:] if any(line.cells)), default=0))
    if not header:
        return Rows()
    rows, joined, left_out = _fitted(lines[1:], header, separator)
    marks = _QUOTED_SEPARATOR.get(separator, "separators")
    content = Rows(unusable=dict.fromkeys(left_out, _TOO_WIDE) | dict.fromkeys(cells.broken, BROKEN_QUOTES))
    problems = content.problems
    if joined:
        problems.append(
            f"{name} has {marks} without quotation marks in {name_lines(joined)}: "
            f"read as part of {header[-1]}, the last column."
        )
    if left_out:
        problems.append(
            f"{name} has more cells than columns in {name_lines(left_out)}, which cannot be used. "
            f"Put texts with {marks} in quotation marks."
        )
    if cells.broken:
        problems.append(broken_sentence(name, cells.broken))
    missing: Counter[str] = Counter()
    escaped: list[str] = []
    for number, row in rows:
        if any(row):
            values = {column: unescape_formula(cell) for column, cell in zip(header, row, strict=False)}
            escaped += [cell for cell in row if unescape_formula(cell) != cell]
            nan = [column for column, cell in values.items() if cell in _NAN]
            missing.update(nan)
            content.rows.append(values | dict.fromkeys(nan, ""))
            content.numbers.append(number)
    content.notes = [_nan_note(name, column, count) for column, count in missing.items()]
    if escaped:
        cells = "1 cell" if len(escaped) == 1 else f"{len(escaped):,} cells"
        content.notes.append(
            f"{name} has an apostrophe before a sign of a formula in {cells}, as spreadsheets mark texts; it is no "
            f"part of the text: {escaped[0][:40]}"
        )
    return content


def column_names(cells: Sequence[str], used: int) -> list[str]:
    """The names of columns, each once: the second `caption` is `caption (2)`, the third without a name `column 3`.

    Args:
        used: how many cells the longest row has; a column without a name behind them is none.
    """
    names = [cell.strip() for cell in cells]
    while names and not names[-1] and (len(names) > used or not any(names)):
        names.pop()
    seen: Counter[str] = Counter()
    unique = []
    for number, name in enumerate(names, 1):
        name = name or f"column {number}"
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _nan_note(name: str, column: str, count: int) -> str:
    cells = "1 cell" if count == 1 else f"{count:,} cells"
    return f"{name} has NaN in {cells} of the column {column}, which is read as empty."


def header_of(text: str) -> list[str]:
    """The cells of the first line, outside of a list without a header."""
    first = first_line(text)
    separator = separator_of(first)
    return [cell.strip(' "') for cell in first.split(separator)] if separator else []


def first_line(text: str) -> str:
    """The first line that is not empty."""
    return next((line.strip(" ") for line in text_lines(text[:_MAX_HEADER]) if line.strip()), "")


def broken_sentence(name: str, broken: list[int]) -> str:
    """The sentence about lines whose quotation marks cannot be understood."""
    return (
        f"{name} has quotation marks that are not closed, or not doubled inside a text, in {name_lines(broken)}, "
        "which cannot be used. Correct them there."
    )


def separator_of(head: str) -> str:
    """The most frequent separator of a header, outside of quotation marks; "" where there is none."""
    bare = re.sub(r'"[^"]*"', "", head)
    separator = max(SEPARATORS, key=bare.count)
    return separator if bare.count(separator) else ""


def read_cells(text: str, separator: str) -> Cells:
    """The cells of a table, in the notation that leaves the fewest lines with more cells than the first line.

    Tried in this order: blanks after separators, where a quotation mark follows them; quotation marks doubled inside
    of quotation marks (RFC 4180); quotation marks escaped by a backslash; quotation marks without a meaning.
    When none fits, each line is read by itself, and the others are named.

    Raises:
        csv.Error: a cell is larger than the limit.
    """
    csv.field_size_limit(2**20)
    best: list[Line] | None = None
    fewest = 0
    for lines in _notations(text, separator):
        width = len(lines[0].cells) if lines else 0
        wide = sum(len(_trimmed(line.cells, width)) > width for line in lines)
        if best is None or wide < fewest:
            best, fewest = lines, wide
        if not wide:
            break
    return Cells(best) if best is not None else _line_by_line(text, separator)


def _notations(text: str, separator: str) -> Iterator[list[Line]]:
    """The rows in each notation that the text does not contradict."""
    skips = (True, False) if re.search(re.escape(separator) + r' +"', text) else (False,)
    texts = [(text, "")]
    if '\\"' in text:
        mark = next(chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
        texts.append((re.sub(r'(?<!\\)(\\+)"', lambda match: _unescaped(match[1], mark), text), mark))
    for written, mark in texts:
        for skip in skips:
            try:
                lines = _strict(written, separator, skip)
            except csv.Error:
                continue
            if _swallows_rows(lines, separator):
                continue
            yield (
                [Line(line.number, [cell.replace(mark, '"') for cell in line.cells]) for line in lines]
                if (mark)
                else lines
            )
    if '"' in text and not _mostly_quoted(text, separator):
        yield [Line(number, line.split(separator), line) for number, line in enumerate(text_lines(text), 1) if line]


def _unescaped(backslashes: str, mark: str) -> str:
    return "\\" * (len(backslashes) // 2) + (mark if len(backslashes) % 2 else '"')


def _strict(text: str, separator: str, skip_blanks: bool) -> list[Line]:
    """The rows by RFC 4180.

    Raises:
        csv.Error: text follows a closing quotation mark, or one is not closed.
    """
    # newline="" ends lines at LF, CR and CR LF only, and keeps them inside of quotation marks.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=skip_blanks)
    lines, before, opening = [], 0, _opening_quote(separator)
    plain_lines = text_lines(text)
    for cells in reader:
        raw = plain_lines[before] if reader.line_num == before + 1 else ""
        if any(cells):
            lines.append(Line(before + 1, cells, "" if '"' in raw and opening.search(raw) else raw))
        before = reader.line_num
    return lines


def _swallows_rows(lines: list[Line], separator: str) -> bool:
    """Whether a cell holds whole rows, because a stray quotation mark opened it."""
    width = len(lines[0].cells) if lines else 0
    for line in lines:
        for cell in line.cells:
            if "\n" not in cell and "\r" not in cell:
                continue
            for inner in text_lines(cell)[1:]:
                parts = inner.split(separator)
                looks_like_row = separator == "\t" or any(is_video(part.strip(' "')) for part in parts)
                if width > 1 and len(parts) >= width and looks_like_row:
                    return True
    return False


def _mostly_quoted(text: str, separator: str) -> bool:
    """Whether most lines with a cell in quotation marks follow RFC 4180, so that these marks have a meaning."""
    right = wrong = 0
    opening = _opening_quote(separator)
    for _, line in filled_lines(text):
        if opening.search(line):
            try:
                _strict(line, separator, True)
                right += 1
            except csv.Error:
                wrong += 1
    return right > wrong


def _opening_quote(separator: str) -> re.Pattern[str]:
    """A quotation mark at the beginning of a cell."""
    return re.compile(rf'(?:^|{re.escape(separator)}) *"')


def _line_by_line(text: str, separator: str) -> Cells:
    cells = Cells()
    for number, line in enumerate(text_lines(text), 1):
        try:
            cells.lines += [Line(number, read.cells, read.raw) for read in _strict(line, separator, True)]
        except csv.Error as error:
            if "field limit" in str(error):
                raise
            cells.broken.append(number)
    return cells


def _trimmed(cells: list[str], width: int) -> list[str]:
    """The cells without empty ones beyond the columns of the header."""
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _fitted(
    lines: list[Line], header: list[str], separator: str
) -> tuple[list[tuple[int, list[str]]], list[int], list[int]]:
    """(rows with the number of their line, numbers of joined lines, numbers of lines that are left out)."""
    width = len(header)
    rows: list[tuple[int, list[str]]] = []
    joined: list[int] = []
    left_out: list[int] = []
    known: list[Counter[str]] | None = None
    for line in lines:
        cells = _trimmed(line.cells, width)
        if len(cells) > width:
            if known is None:
                known = _known_values(lines, width)
            cells = line.raw.split(separator, width - 1) if line.raw else []
            if header[-1].lower() not in _TEXT_COLUMNS or not _middle_is_known(cells, known):
                left_out.append(line.number)
                continue
            joined.append(line.number)
        rows.append((line.number, [cell.strip() for cell in cells]))
    return rows, joined, left_out


def _known_values(lines: list[Line], width: int) -> list[Counter[str]]:
    """The values of each column in the lines that fit the header."""
    fitting = [line.cells for line in lines if len(line.cells) == width]
    return [Counter(cells[i].strip() for cells in fitting) for i in range(width)]


def _middle_is_known(cells: list[str], known: list[Counter[str]]) -> bool:
    """Whether the separator can only belong to the last cell.

    Other lines have the values of the cells before it, and no blank follows the separators of these cells.
    """
    if len(cells) > 2 and any(cell.startswith(" ") for cell in cells[1:]):
        return False
    return bool(cells) and all(
        cell.strip() in known[i] or parse_number(cell.strip()) is not None for i, cell in enumerate(cells[1:-1], 1)
    )
