"""What was left out of the archives of an upload or had to be guessed, for the dataset's page."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.not_used import NOT_USED, NotUsedKind, NotUsedList, from_json, to_json

_ENCODINGS = {
    "cp437": "DOS Latin (cp437)",
    "cp1252": "Windows Latin (cp1252)",
    "cp932": "Shift-JIS",
    "gb18030": "GBK",
    "cp866": "Cyrillic (cp866)",
    "cp949": "Korean (cp949)",
}


ARCHIVES = "archives"
"""Key of a dataset's layout: what is known of the archives, which are not there when the files are read again."""


@dataclass(slots=True)
class ArchiveFindings:
    """What is known of the archives of an upload when they are unpacked."""

    notes: list[str] = field(default_factory=list)
    """Sentences about what was left out or guessed."""
    not_used: NotUsedList = field(default_factory=NotUsedList)

    def leave_out_links(self, archive: str, links: list[str]) -> None:
        """Records links, which are never followed."""
        if not links:
            return
        self.notes.append(_links_note(archive, links))
        for link in links:
            step = "To use it, pack the file itself."
            self.not_used.add(NotUsedKind.MEMBER, f"{archive}: {link}", _LINK, step, stored=False)

    def add(self, other: "ArchiveFindings") -> None:
        self.notes += other.notes
        for group in other.not_used.groups():
            self.not_used.add_group(group)

    def add_to(self, layout: DetectedLayout) -> DetectedLayout:
        """The layout with what is known of the archives."""
        not_used = [*layout.not_used, *self.not_used.groups()]
        return replace(layout, notes=[*dict.fromkeys(self.notes), *layout.notes], not_used=not_used)

    def to_json(self) -> dict[str, Any]:
        return {"notes": list(dict.fromkeys(self.notes)), "not_used": to_json(self.not_used.groups())}


def findings_before(layout_summary: dict[str, Any]) -> ArchiveFindings:
    """What the layout of a dataset says of its archives, and of the other files that were not kept."""
    findings = _from_json(layout_summary.get(ARCHIVES) or {})
    known = set(findings.not_used.groups())
    for group in from_json(layout_summary.get(NOT_USED, [])):
        if not group.stored and group not in known:
            findings.not_used.add_group(group)
    return findings


_LINK = "It is a link, and links are not followed."


def read_findings(file: Path) -> ArchiveFindings | None:
    """The findings of archives that were unpacked before; None where there is no such file."""
    return _from_json(json.loads(file.read_text())) if file.is_file() else None


def _from_json(stored: dict[str, Any]) -> ArchiveFindings:
    return ArchiveFindings(list(map(str, stored.get("notes", []))), NotUsedList(from_json(stored.get("not_used", []))))


def encoding_note(archive: str, encoding: str) -> str:
    """The encoding of names that was guessed."""
    return (
        f"{archive} does not say the encoding of its names: read as {_ENCODINGS[encoding]}. "
        "If names look wrong, pack it again with UTF-8 names, for example as tar.gz."
    )


def _links_note(archive: str, links: list[str]) -> str:
    """The links that were left out."""
    if len(links) == 1:
        return f"The link {links[0][-80:]} in {archive} is left out. To use it, pack the file itself."
    return (
        f"{len(links):,} links in {archive} are left out (the first is {links[0][-80:]}). "
        "To use them, pack the files themselves."
    )
