"""What was left out of the archives of an upload or had to be guessed, for the dataset's page."""

from dataclasses import dataclass, field
from typing import Any

from orchestrator.services.datasets.not_used import NotUsedKind, NotUsedList, from_json, to_json

_ENCODINGS = {
    "cp437": "DOS Latin (cp437)",
    "cp1252": "Windows Latin (cp1252)",
    "cp932": "Shift-JIS",
    "gb18030": "GBK",
    "cp866": "Cyrillic (cp866)",
    "cp949": "Korean (cp949)",
}


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

    def to_json(self) -> dict[str, Any]:
        return {"notes": list(dict.fromkeys(self.notes)), "not_used": to_json(self.not_used.groups())}


_LINK = "It is a link, and links are not followed."


def findings_from_json(stored: dict[str, Any]) -> ArchiveFindings:
    """The findings of archives that were unpacked before."""
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
