"""The words of a sentence, as the measures of captions count them."""

import re


def words_of(text: str) -> list[str]:
    """Words of any script in lower case, without punctuation."""
    return re.findall(r"\w+", text.lower())
