"""The list of shortcuts names the keys that pages listen to."""

from orchestrator.pages.datasets.clip_dialog import _KEYS
from orchestrator.pages.registry import PAGES
from orchestrator.ui.layout.keys import PAGE_KEYS, keys

_WORDS = {"Mod": "Ctrl or \u2318", "PageUp": "Page Up", "PageDown": "Page Down"}


def listed() -> dict[str, list[list[str]]]:
    groups = keys().groups._decode()  # type: ignore[attr-defined]
    return {group["title"]: [row["keys"] for row in group["keys"]] for group in groups}


def test_each_key_of_the_dialog_is_listed() -> None:
    heard = [[_WORDS.get(part, part) for part in key.split("+")] for key in _KEYS]
    assert sorted(listed()["In the dialog of a clip"]) == sorted(heard)


def test_each_key_that_opens_a_page_is_listed_and_its_page_exists() -> None:
    assert sorted(listed()["Go to"]) == sorted(["g", key] for key in PAGE_KEYS)
    assert set(PAGE_KEYS.values()) <= {page.route for page in PAGES}
