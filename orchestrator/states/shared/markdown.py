"""Turns a model card's Markdown into a few kinds of blocks that a page shows as text; no HTML comes out of a file."""

import re
from dataclasses import dataclass

_MARKS = re.compile(r"`([^`]*)`|\*\*([^*]*)\*\*|\[([^\]]*)\]\([^)]*\)")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
"""What the Hub reads from a card: keys and values, which say nothing that the page does not say."""
_RULE = re.compile(r"[|\s:-]+")


@dataclass(frozen=True, slots=True)
class CardBlock:
    """`kind`: heading, text or code (code and tables keep their lines)."""

    kind: str
    text: str


def card_blocks(markdown: str) -> list[CardBlock]:
    """The blocks in order; the title in the first line is left out, since the page has one."""
    blocks: list[CardBlock] = []
    body = _FRONT_MATTER.sub("", markdown.strip(), count=1)
    for part in re.split(r"\n\s*\n", body.strip()):
        lines = part.strip("\n").split("\n")
        if not blocks and lines[0].startswith("# "):
            lines = lines[1:]
        while lines and lines[0].startswith("#"):
            blocks.append(CardBlock("heading", _plain(lines.pop(0).lstrip("# "))))
        if lines:
            blocks.append(_block(lines))
    return [block for block in blocks if block.text]


def _block(lines: list[str]) -> CardBlock:
    if all(line.startswith(("    ", "\t")) for line in lines):
        return CardBlock("code", "\n".join(line.strip() for line in lines))
    if lines[0].startswith("```"):
        return CardBlock("code", "\n".join(line for line in lines if not line.startswith("```")))
    if all(line.strip().startswith("|") for line in lines):
        return CardBlock("code", _table([line for line in lines if not _RULE.fullmatch(line)]))
    return CardBlock("text", _plain(" ".join(line.strip() for line in lines)))


def _table(lines: list[str]) -> str:
    """Columns set under each other."""
    rows = [[_plain(cell.strip()) for cell in line.strip().strip("|").split("|")] for line in lines]
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows
    )


def _plain(text: str) -> str:
    return _MARKS.sub(lambda match: next(group for group in match.groups() if group is not None), text).strip()
