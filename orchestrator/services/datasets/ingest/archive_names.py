"""Decodes the names of files in archives that do not say their encoding."""

import re
import unicodedata


def guess_encoding(names: list[bytes], default: str = "cp437") -> str:
    """The most plausible encoding of names: UTF-8 where they are valid in it, else the one that gives plain letters.

    Args:
        names: all names of an archive that are not ASCII; the more there are, the better the guess.
        default: the encoding where nothing is plausible; it must decode all bytes or be used with "replace".
    """
    text = b"/".join(names)
    if _decodes(text, "utf-8"):
        return "utf-8"
    if _has_single_high_bytes(text):  # an accented letter stands between ASCII letters
        for encoding in ("cp437", "cp1252") if default == "cp437" else ("cp1252", "cp437"):
            if _is_latin(_decoded(text, encoding)):
                return encoding
    scores = {encoding: _share_of_common_characters(text, encoding) for encoding in ("cp932", "gb18030", "cp949")}
    scores["cp866"] = _share_of_cyrillic(text)
    best = max(scores, key=lambda encoding: scores[encoding])
    return best if scores[best] >= 0.5 else default


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(text: bytes, encoding: str) -> str:
    return text.decode(encoding, "replace")


def _has_single_high_bytes(text: bytes) -> bool:
    """Whether bytes outside ASCII stand alone, or as a pair beside an ASCII letter, as accented letters do."""
    runs = re.finditer(rb"[\x80-\xff]+", text)
    return all(len(run[0]) == 1 or (len(run[0]) == 2 and _touches_ascii(text, *run.span())) for run in runs)


def _touches_ascii(text: bytes, start: int, end: int) -> bool:
    return text[max(0, start - 1) : start].isalpha() or text[end : end + 1].isalpha()


def _is_latin(text: str) -> bool:
    """Whether all characters outside ASCII are Latin letters, none a capital behind a small letter or the reverse."""
    for previous, char in zip(f"/{text}", text, strict=False):
        if ord(char) > 0x7F and not (char.isalpha() and unicodedata.name(char, "").startswith("LATIN")):
            return False
        is_mixed = (ord(char) > 0x7F or ord(previous) > 0x7F) and char.isupper() and previous.islower()
        if is_mixed:
            return False
    return True


def _share_of_common_characters(text: bytes, encoding: str) -> float:
    """The share of characters outside ASCII that are frequent ones in an Asian encoding; 0 where it is not valid."""
    if not _decodes(text, encoding):
        return 0.0
    chars = [char for char in text.decode(encoding) if ord(char) > 0x7F]
    return sum(_is_common(char, encoding) for char in chars) / max(1, len(chars))


def _is_common(char: str, encoding: str) -> bool:
    """Whether it is a kana or one of the standard's first level of characters."""
    lead = char.encode(encoding)[0]
    if encoding == "cp932":
        return 0x82 <= lead <= 0x83 or 0x88 <= lead <= 0x97
    if encoding == "cp949":
        return 0xB0 <= lead <= 0xC8 and "\uac00" <= char <= "\ud7a3"
    in_gb2312 = len(char.encode(encoding)) == 2 and char.encode(encoding)[1] >= 0xA1
    return in_gb2312 and 0xB0 <= lead <= 0xD7


def _share_of_cyrillic(text: bytes) -> float:
    chars = [char for char in text.decode("cp866") if ord(char) > 0x7F]
    return sum("\u0400" <= char <= "\u045f" for char in chars) / max(1, len(chars)) * 0.9
