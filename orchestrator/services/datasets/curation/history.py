"""The record of an edit: the columns of each clip before and after it, and how a clip gets the values before back.

Edits from before clips had a column of annotations changed `label`, `caption` and `prompt` only. Where such an edit is
reverted in a clip that has annotations now, only the part that it had changed is replaced.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.domain.annotations import Annotations, Span, annotations_of, with_label
from orchestrator.domain.datasets import Clip, ClipStatus, Split

Fields = Mapping[str, list[str]]
"""{column: [before, after]} of one clip."""
Changes = dict[str, dict[str, list[str]]]
"""{clip id: {column: [before, after]}}"""
FILM_COLUMNS = ("path", "content_hash", "thumbnail_path", "fps", "film_s", "duration_s", "size_bytes")
"""The columns that another rate of a film of pictures changes, together with the times of a span."""
EDITED_COLUMNS = ("label", "caption", "prompt", "annotations", "start_s", "end_s", "split", "status", *FILM_COLUMNS)
"""The columns of a clip that edits change."""
_SHORT_COLUMNS = ("label", "caption", "prompt")
_BEFORE, _AFTER = 0, 1


def _seconds(value: str) -> float | None:
    return None if value == str(None) else float(value)


_PARSERS: dict[str, Callable[[str], Any]] = {
    "split": Split,
    "status": ClipStatus,
    "annotations": Annotations.parse,
    "start_s": _seconds,
    "end_s": _seconds,
    "fps": float,
    "film_s": float,
    "duration_s": float,
    "size_bytes": int,
}


def edited_values(clip: Clip) -> dict[str, str]:
    """The values of the edited columns, as the record of an edit keeps them."""
    return {name: str(getattr(clip, name)) for name in EDITED_COLUMNS}


def changes_between(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """The changed columns of one clip: {column: [before, after]}."""
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}


def revert(clip: Clip, fields: Fields) -> None:
    """Gives a clip the values before an edit, as it was after the edit."""
    _set_texts(clip, {name: values[_BEFORE] for name, values in fields.items()})
    if "path" in fields:
        _set_film(clip, fields)
    else:
        _set_span(clip, fields)
    for name in ("split", "status"):
        if name in fields:
            setattr(clip, name, _PARSERS[name](fields[name][_BEFORE]))


def undo(clip: Clip, fields: Fields) -> None:
    """Reverts an edit where nothing has changed since; values that were changed again stay as they are.

    The status stays too where the annotations were changed again.
    """
    now = edited_values(clip)
    unchanged = {name for name, values in fields.items() if now[name] == values[_AFTER]}
    texts = fields.keys() & {*_SHORT_COLUMNS, "annotations"}
    if "annotations" in fields or clip.annotations:
        # The columns belong together: the short ones only show what the long one holds.
        intact = texts <= unchanged if "annotations" in fields else _is_former_value(clip, fields)
        restored = texts if intact else set()
    else:
        restored = texts & unchanged
    _set_texts(clip, {name: fields[name][_BEFORE] for name in restored})
    if "path" in fields:
        if "path" in unchanged:
            _set_film(clip, fields)
    elif {"start_s", "end_s"} & fields.keys() <= unchanged:
        _set_span(clip, fields)
    if "split" in unchanged:
        clip.split = Split(fields["split"][_BEFORE])
    if "status" in unchanged and restored == texts:
        clip.status = ClipStatus(fields["status"][_BEFORE])


def _is_former_value(clip: Clip, fields: Fields) -> bool:
    """Whether a clip that has annotations now has what an edit wrote before there were any: captions in lines."""
    after = {name: values[_AFTER] for name, values in fields.items()}
    lines = tuple(line.strip() for line in after.get("caption", "").split("\n") if line.strip())
    captions = lines if "caption" in after else clip.annotated.captions
    labels = tuple(filter(None, [after["label"]])) if "label" in after else clip.annotated.labels
    return not after.get("prompt") and clip.annotated == Annotations(labels, captions)


def _set_texts(clip: Clip, values: Mapping[str, str]) -> None:
    """Sets the annotation columns that a record has."""
    short = {name: values[name] for name in _SHORT_COLUMNS if name in values}
    if "annotations" in values:
        clip.annotations = Annotations.parse(values["annotations"])
    elif short and clip.annotations:
        _replace_parts(clip, short)
        return
    for name, value in short.items():
        setattr(clip, name, value)


def _replace_parts(clip: Clip, short: Mapping[str, str]) -> None:
    """Sets a former edit's texts in a clip that has annotations now; an old caption with several lines is one text."""
    annotations = clip.annotated
    if "label" in short:
        annotations = with_label(annotations, short["label"])
    if {"caption", "prompt"} & short.keys():
        caption = short.get("caption", "\n".join(annotations.captions))
        texts = annotations_of("", caption, short.get("prompt", clip.prompt))
        annotations = replace(annotations, captions=texts.captions, conversations=texts.conversations)
    clip.annotate(annotations)


def _set_film(clip: Clip, fields: Fields) -> None:
    """Gives a clip its former film, which has the same pictures at another rate: its span keeps its pictures."""
    factor = clip.fps / float(fields["fps"][_BEFORE])
    for name in fields.keys() & set(FILM_COLUMNS) - {"duration_s"}:
        setattr(clip, name, _PARSERS.get(name, str)(fields[name][_BEFORE]))
    for name in ("start_s", "end_s"):
        now: float | None = getattr(clip, name)
        if name in fields and now == _seconds(fields[name][_AFTER]):
            setattr(clip, name, _seconds(fields[name][_BEFORE]))
        elif now is not None:
            setattr(clip, name, now * factor)
    span = clip.span
    clip.duration_s = span.end_s - span.start_s if span else clip.film_s


def _set_span(clip: Clip, fields: Fields) -> None:
    if not {"start_s", "end_s"} & fields.keys():
        return
    start_s = _seconds(fields["start_s"][_BEFORE]) if "start_s" in fields else clip.start_s
    end_s = _seconds(fields["end_s"][_BEFORE]) if "end_s" in fields else clip.end_s
    clip.cut(None if start_s is None or end_s is None else Span(start_s, end_s))
