"""A model card becomes plain blocks: headings, text without marks, tables in columns."""

from orchestrator.states.shared.markdown import card_blocks

CARD = """# Tiny

A model of `0.84` million
**parameters**, see [the bench](x.md).

## What it reached

| direction | colour |
|---|---|
| 96.9 % | 99.3 % |

    python -m jobs.bases
"""


def test_blocks() -> None:
    blocks = [(block.kind, block.text) for block in card_blocks(CARD)]
    assert blocks == [
        ("text", "A model of 0.84 million parameters, see the bench."),
        ("heading", "What it reached"),
        ("code", "direction  colour\n96.9 %     99.3 %"),
        ("code", "python -m jobs.bases"),
    ]
    assert card_blocks("") == []


def test_front_matter_is_not_shown() -> None:
    card = "---\nbase_model: tiny\ntags:\n- lora\n---\n\n# name\n\nA sentence.\n"
    assert [(block.kind, block.text) for block in card_blocks(card)] == [("text", "A sentence.")]
