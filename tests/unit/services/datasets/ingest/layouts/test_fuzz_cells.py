"""Random texts in each format of tables and records: every text arrives as it was written, on the clip of its row."""

import csv
import io
import json
import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from tests.fuzzing import examples, read_upload, sentences

_LINE_MARKS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
PIECES = (
    *("a man", "walks", "Grün", "e\u0301", "狗", "5 %", "x" * 60, "it's", "don't", "0", "1.0", "-", "#1", "=1+1"),
    *(",", ";", "\t", "|", ":", '"', '""', "'", "\\", '\\"', "/", " ", "  ", ".", "!", "{", "}", "[", "]", "<video>"),
    *("\u2028", "\u2029", "\x85", "\x0c", "\x0b", "\u00a0", "\U0001f600", "\u200d", "(0.mp4)", "-1", "@home", "+2"),
)
ASKED = {"from": "human", "value": "<video>\nWhat?"}
LINES = ("\n", "\r\n", "\n\n")
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
texts_with_lines = st.lists(st.sampled_from(PIECES + LINES), min_size=1, max_size=6).map("".join)
SEPARATORS = {",": "csv", ";": "csv", "\t": "tsv", "|": "csv"}
PLACES = [f"{name}.mp4" for name in ("0", "1", "2", "a b", "été", "v,1", "x;y")]


def as_read(text: str) -> str:
    """A text for a comparison: every mark of a line is the same, blanks at the ends do not count."""
    plain = "\n".join(part for part in _LINE_MARKS.split(unicodedata.normalize("NFC", text)))
    return re.sub("\n+", "\n", plain).strip()


def captions_of(layout: DetectedLayout) -> dict[str, str]:
    return {
        entry.name: as_read(entry.annotations.captions[0]) if entry.annotations.captions else ""
        for entry in layout.entries
        if not entry.problem
    }


def assigned(data: st.DataObject, strategy: st.SearchStrategy[str]) -> dict[str, str]:
    names = data.draw(st.lists(st.sampled_from(PLACES), min_size=2, max_size=6, unique=True))
    return {name: data.draw(strategy.filter(lambda text: bool(as_read(text)))) for name in names}


def unescaped(layout: DetectedLayout, caption: str) -> str:
    """A caption without the apostrophe by which spreadsheets mark a text, where that is said."""
    cell = caption.strip()
    is_marked = re.match("'+[=+@\\-\t\r\n]", cell) and "has an apostrophe" in sentences(layout)
    return as_read(cell[1:] if is_marked else cell)


def encoded(data: st.DataObject, text: str) -> bytes:
    return text.encode(data.draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"])))


@examples(30)
@given(st.sampled_from(sorted(SEPARATORS)), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.data())
def test_a_table_that_a_library_wrote(separator: str, end: str, quotes_all: bool, data: st.DataObject) -> None:
    """RFC 4180, as spreadsheets, pandas and the csv module write it: nothing in a cell changes what another one is."""
    caption_of = assigned(data, texts_with_lines)
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quotes_all else csv.QUOTE_MINIMAL
    out = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    caption_first = data.draw(st.booleans())
    rows = [("file_name", "caption"), *caption_of.items()]
    out.writerows([row[::-1] if caption_first else row for row in rows])
    stated = data.draw(st.booleans())
    content = (f"sep={separator}{end}" if stated and separator != "\t" else "") + text.getvalue()
    layout = read_upload({f"metadata.{SEPARATORS[separator]}": encoded(data, content)}, caption_of)
    expected, found = {name: unescaped(layout, text) for name, text in caption_of.items()}, captions_of(layout)
    if found != expected:  # only where a line inside of a cell looks like a row, which is said
        assert any(re.search(f"[\r\n].*{re.escape(separator)}", text) for text in caption_of.values())
        assert {name: text for name, text in found.items() if text not in ("", expected[name])} == {}
        assert f"metadata.{SEPARATORS[separator]}" in sentences(layout)


@examples(30)
@given(st.sampled_from(["\n", "\r\n"]), st.data())
def test_a_tsv_without_quotation_marks(end: str, data: st.DataObject) -> None:
    """Quotation marks mean nothing in it: a text that has some is whole, or its line is named."""
    caption_of = assigned(data, texts.filter(lambda text: "\t" not in text))
    lines = ["file_name\tcaption", *(f"{name}\t{caption}" for name, caption in caption_of.items())]
    layout = read_upload({"metadata.tsv": encoded(data, end.join(lines) + end)}, caption_of)
    found = captions_of(layout)
    for name, caption in caption_of.items():
        if found.get(name) not in (as_read(caption), without_quotes(caption), unescaped(layout, caption)):
            assert found.get(name, "") == ""
            assert re.search(r"metadata\.tsv.*line", sentences(layout))


def without_quotes(caption: str) -> str:
    """A caption that stands whole in quotation marks, with those inside doubled: they are no part of it."""
    inner = caption.strip(" ")
    is_quoted = len(inner) > 1 and inner[0] == inner[-1] == '"'
    return as_read(inner[1:-1].replace('""', '"')) if is_quoted else as_read(caption)


@examples(30)
@given(st.sampled_from([".jsonl", ".json", ".ndjson", ".txt"]), st.booleans(), st.data())
def test_json_lines(ending: str, escapes: bool, data: st.DataObject) -> None:
    caption_of = assigned(data, texts_with_lines)
    rows = [
        json.dumps({"file_name": name, "caption": caption}, ensure_ascii=escapes)
        for name, caption in caption_of.items()
    ]
    layout = read_upload({f"annotations{ending}": encoded(data, "\n".join(rows) + "\n")}, caption_of)
    assert captions_of(layout) == {name: as_read(caption) for name, caption in caption_of.items()}


@examples(20)
@given(st.sampled_from(["list", "object", "wrapped", "chat", "chat parts"]), st.booleans(), st.data())
def test_json(form: str, escapes: bool, data: st.DataObject) -> None:
    caption_of = assigned(data, texts_with_lines)
    rows = [{"file_name": name, "caption": caption} for name, caption in caption_of.items()]
    match form:
        case "list":
            value: object = rows
        case "object":
            value = {name: {"caption": caption} for name, caption in caption_of.items()}
        case "wrapped":
            value = {"version": 1, "data": rows}
        case "chat":
            value = [
                {"video": name, "conversations": [ASKED, {"from": "gpt", "value": caption}]}
                for name, caption in caption_of.items()
            ]
        case _:
            value = [
                {
                    "videos": [name],
                    "messages": [
                        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "What?"}]},
                        {"role": "assistant", "content": [{"type": "text", "text": caption}]},
                    ],
                }
                for name, caption in caption_of.items()
            ]
    text = json.dumps(value, ensure_ascii=escapes, indent=data.draw(st.sampled_from([None, 1])))
    layout = read_upload({"data.json": encoded(data, text)}, caption_of)
    found = {entry.name: as_read(entry.caption) for entry in layout.entries if not entry.problem}
    assert found == {name: as_read(caption) for name, caption in caption_of.items()}
    if form.startswith("chat"):
        assert {entry.prompt for entry in layout.entries} == {"What?"}


@examples(20)
@given(st.sampled_from(["{}.txt", "{}.mp4.txt", "captions/{}.txt", "{}.caption"]), st.data())
def test_a_text_file_for_each_clip(place: str, data: st.DataObject) -> None:
    caption_of = assigned(data, texts_with_lines)
    files = {place.format(name.removesuffix(".mp4")): encoded(data, caption) for name, caption in caption_of.items()}
    clips = [f"videos/{name}" if "/" in place else name for name in caption_of]
    layout = read_upload(files, clips)
    found = {name.removeprefix("videos/"): caption for name, caption in captions_of(layout).items()}
    assert found == {name: as_read(caption) for name, caption in caption_of.items()}


@examples(20)
@given(st.sampled_from(["prompts.txt", "prompt.txt", "captions.txt"]), st.sampled_from(["\n", "\r\n"]), st.data())
def test_prompts_line_by_line(prompts: str, end: str, data: st.DataObject) -> None:
    caption_of = assigned(data, texts)
    files = {
        prompts: encoded(data, end.join(caption_of.values()) + end),
        "videos.txt": end.join(caption_of) + end,
    }
    layout = read_upload(files, caption_of)
    if prompts != "captions.txt" or layout.key == "line_pairs":
        assert captions_of(layout) == {name: as_read(caption) for name, caption in caption_of.items()}
