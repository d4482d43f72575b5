"""The blocks of a model card as text, on the pages of base models and adapters."""

import reflex as rx

from orchestrator.states.shared.markdown import CardBlock


def card_block(block: rx.Var[CardBlock]) -> rx.Component:
    return rx.fragment(
        rx.match(
            block.kind,
            ("heading", rx.el.h3(block.text, class_name="mt-2 text-sm font-semibold")),
            (
                "code",
                rx.el.pre(
                    block.text,
                    tab_index=0,
                    class_name="shrink-0 overflow-x-auto rounded-lg bg-muted p-3 font-mono text-xs leading-5",
                ),
            ),
            rx.el.p(block.text, class_name="text-sm text-muted-foreground"),
        )
    )
