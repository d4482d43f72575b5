"""Sentences for the dataset's page about archives that were unpacked, but not completely or not for certain."""

from collections.abc import Sequence

_ENCODINGS = {
    "cp437": "DOS Latin (cp437)",
    "cp1252": "Windows Latin (cp1252)",
    "cp932": "Shift-JIS",
    "gb18030": "GBK",
    "cp866": "Cyrillic (cp866)",
    "cp949": "Korean (cp949)",
}


def encoding_note(archive: str, encoding: str) -> str:
    """The encoding of names that was guessed."""
    return (
        f"{archive} does not say the encoding of its names: read as {_ENCODINGS[encoding]}. "
        "If names look wrong, pack it again with UTF-8 names, for example as tar.gz."
    )


def links_note(archive: str, links: Sequence[str]) -> str:
    """The links that were left out."""
    if len(links) == 1:
        return f"The link {links[0][-80:]} in {archive} is left out. To use it, pack the file itself."
    return (
        f"{len(links):,} links in {archive} are left out (the first is {links[0][-80:]}). "
        "To use them, pack the files themselves."
    )
