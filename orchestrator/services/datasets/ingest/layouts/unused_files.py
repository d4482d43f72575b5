"""Names the files of an upload that a layout does not use, and why: no file is left out without a word."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from orchestrator.services.datasets.files import ending_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.rows import Row
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines
from orchestrator.services.datasets.ingest.layouts.tree import JSON_ENDINGS, TEXT_ENDINGS, Tree, Unreadable
from orchestrator.services.datasets.not_used import NotUsed, NotUsedKind, NotUsedList

_DOCUMENTATION = frozenset(
    {"readme", "license", "licence", "copying", "changelog", "citation", "authors", ".gitattributes"}
)
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm"})
_SOUND = frozenset({".wav", ".mp3", ".flac", ".aac", ".m4a", ".ogg", ".opus"})
_SUBTITLES = frozenset({".srt", ".vtt", ".ass", ".sub"})
_DESCRIPTIONS = TEXT_ENDINGS | {".caption", ".cls", ".xml", ".yaml", ".yml"}
_MAX_EXAMINED = 200
"""How many text files are read again to find out why they are not used; the others share one reason."""
_MAX_ROWS = 1_000
_MAX_COLUMNS = 6
_UNKNOWN = "No layout finds clips and annotations in it."
_CORRECT = "If it describes the clips, choose the layout and the columns under Correct."


def unused_files(tree: Tree, layout: DetectedLayout) -> list[NotUsed]:
    """The files that are neither clips in use nor annotation files of the layout."""
    collected = NotUsedList()
    listed = {entry.name: entry.problem for entry in layout.entries}
    used = set(layout.files)
    examined = 0
    frames = _frames_reason([name for name in tree.names if ending_of(name) in _PICTURES])
    for name in tree.names:
        if name in used:
            continue
        if name in listed:
            if problem := listed[name]:
                collected.add(NotUsedKind.FILE, name, general_reason(name, problem))
            continue
        ending = ending_of(name)
        if is_documentation(name):
            collected.add(NotUsedKind.FILE, name, "A readme, a licence or the like.")
        elif name in tree.frames.left_out:
            collected.add(NotUsedKind.FILE, name, tree.frames.left_out[name], stored=False)
        elif ending not in _DESCRIPTIONS:
            reason, step = frames if ending in _PICTURES else _no_text(ending)
            collected.add(NotUsedKind.FILE, name, reason, step, stored=False)
        elif name.rpartition(".")[0] in tree.stems and layout.files:
            which = _names(layout.files)
            collected.add(NotUsedKind.FILE, name, f"It has the name of a clip, but the clips are described by {which}.")
        else:
            examined += 1
            reason, step = _why(tree, name, layout) if examined <= _MAX_EXAMINED else (_UNKNOWN, _CORRECT)
            collected.add(NotUsedKind.FILE, name, reason, step, stored=ending in TEXT_ENDINGS)
    return collected.groups()


def descriptions_looked_at(groups: Sequence[NotUsed]) -> list[str]:
    """Sentences about the text files and the pictures that are not used, for an import in which nothing can be used."""
    return [
        f"{PurePosixPath(name).name}: {group.reason}"
        for group in groups
        for name in group.names
        if group.kind is NotUsedKind.FILE and ending_of(name) in _DESCRIPTIONS and not is_documentation(name)
    ] + [f"{group.reason} {group.step}" for group in groups if group.names and ending_of(group.names[0]) in _PICTURES]


def first_reason(groups: Sequence[NotUsed]) -> str:
    """A sentence about the first file that is not used, such as "notes.doc: It is no film."; "" where all are used."""
    named = [(PurePosixPath(group.names[0]).name, group) for group in groups if group.names]
    return next((f"{name}: {g.reason} {g.step}".strip() for name, g in named if g.kind is NotUsedKind.FILE), "")


def general_reason(name: str, problem: str) -> str:
    """The problem of a file without its name, so that files with the same problem are counted together."""
    short = PurePosixPath(name).name
    return f"It {problem.removeprefix(f'{short} ')}" if problem.startswith(f"{short} ") else problem


def is_documentation(name: str) -> bool:
    """Whether it is a readme, a licence or the like."""
    stem = PurePosixPath(name).stem.lower()
    return stem in _DOCUMENTATION or stem.startswith("readme")


def _frames_reason(pictures: list[str]) -> tuple[str, str]:
    """What is said of the pictures: several in one folder may be the frames of a film."""
    folders = [folder for folder, count in Counter(name.rpartition("/")[0] for name in pictures).items() if count > 1]
    if not folders:
        return "A picture, and no film.", ""
    films = f"1 folder ({folders[0]})" if len(folders) == 1 else f"{len(folders):,} folders (the first is {folders[0]})"
    command = f"ffmpeg -framerate 25 -pattern_type glob -i 'FOLDER/*{ending_of(pictures[0])}' FOLDER.mp4"
    what = "neither numbered as the frames of a film are, nor JPEG, PNG or WebP"
    return f"Pictures of {films} that are {what}.", f"Number them, or make a film of each folder: {command}"


def _no_text(ending: str) -> tuple[str, str]:
    if ending in _SOUND:
        return "Sound, and no film.", ""
    if ending in _SUBTITLES:
        return "Subtitles are not read.", "Write the texts into a table with the columns file_name and caption."
    return "It is neither a film, nor an archive, nor a text that describes films.", ""


def _why(tree: Tree, name: str, layout: DetectedLayout) -> tuple[str, str]:
    """(why a text file is not used, what to do)."""
    content = tree.content(name)
    short = PurePosixPath(name).name
    if stated := next((problem for problem in tree.problems if problem.startswith(f"{short} ")), ""):
        return general_reason(name, stated), ""
    if content.rows:
        return _why_rows(tree, content.rows, layout)
    try:
        lines = [line for _, line in filled_lines(tree.text(name))] if ending_of(name) != ".parquet" else []
    except Unreadable as error:
        return str(error), ""
    if not lines:
        return "It is empty.", ""
    if ending_of(name) in JSON_ENDINGS:
        return "It holds no records that name clips.", _CORRECT
    named = sum(bool(_named(tree, line)) for line in lines[:_MAX_ROWS])
    if not named:
        return "None of its lines names a clip of this upload.", ""
    if layout.files:
        return f"The clips are described by {_names(layout.files)}.", _CORRECT
    if named < len(lines[:_MAX_ROWS]):
        return f"Only {named:,} of {len(lines[:_MAX_ROWS]):,} lines name a clip of this upload.", ""
    return "Its lines name clips, but neither a label nor a split.", _CORRECT


def _why_rows(tree: Tree, rows: list[Row], layout: DetectedLayout) -> tuple[str, str]:
    columns: Counter[str] = Counter()
    keys = list(dict.fromkeys(str(key) for row in rows[:50] for key in row if key))
    for row in rows[:_MAX_ROWS]:
        columns.update(key for key, value in row.items() if isinstance(value, str) and _named(tree, value))
    has = ", ".join(keys[:_MAX_COLUMNS]) + (", …" if len(keys) > _MAX_COLUMNS else "")
    if not columns:
        return f"None of its columns ({has}) names a clip of this upload.", _CORRECT
    clip_column = columns.most_common(1)[0][0]
    if layout.files:
        return f"Its column {clip_column} names clips, but the clips are described by {_names(layout.files)}.", _CORRECT
    return f"Its column {clip_column} names clips, but none of its columns ({has}) is known as annotation.", _CORRECT


def _named(tree: Tree, text: str) -> list[str]:
    """The clips with the name that a text begins with."""
    last = text.strip().replace("\\", "/").rpartition("/")[2]
    return tree.index.named(last) or tree.index.named(last.partition(" ")[0]) if last else []


def _names(files: Sequence[str]) -> str:
    shown = " and ".join(PurePosixPath(file).name for file in files[:2])
    return f"{shown} and others" if len(files) > 2 else shown
