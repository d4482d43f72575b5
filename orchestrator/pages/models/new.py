"""The page at /models/new: a model's type and architecture, and where its weights come from."""

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.shared.add_form import form_foot, hub_id, revision, uploaded_files
from orchestrator.pages.shared.forms import description_field, name_field, problem_of
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.hub_size import hub_size, stored_token_field
from orchestrator.pages.shared.layout import back_to_draft
from orchestrator.pages.shared.loading_states import not_found
from orchestrator.states.models.new import ModelAddState
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import radio_cards
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import password_input
from orchestrator.ui.primitives.select import select

State = ModelAddState
_TYPES = [{"value": task.model_type.value, "label": task.title, "note": task.model_note} for task in TASKS.values()]
_SOURCES = [("upload", "Upload model weights"), ("hub", "Hugging Face Hub ID"), ("path", "Custom path")]


def _about() -> rx.Component:
    return card(
        rx.el.div(
            name_field(State),
            description_field(State),
            field(
                "Model type",
                radio_cards(_TYPES, label="Model type", value=State.model_type, on_change=State.choose_type),
                error=problem_of(State, "model_type"),
                group=True,
            ),
            field(
                "Base architecture",
                select(
                    State.known,
                    value=State.architecture,
                    on_change=State.choose_architecture,
                    label="Base architecture",
                ),
                error=problem_of(State, "architecture"),
            ),
            class_name="flex flex-col gap-4",
        ),
        title="Details",
    )


def _hub() -> rx.Component:
    return rx.el.div(
        hub_id(
            State,
            "Model ID",
            "MCG-NJU/videomae-base",
            "As shown at the top of the model's page. Only safetensors are fetched, and no code.",
        ),
        rx.el.div(
            revision(State),
            field(
                "Token",
                password_input(name="token", value=State.token, on_change=State.type_token),
                hint="Only for gated or private models. Stored encrypted, and deleted after the fetch.",
                error=problem_of(State, "token"),
            ),
            class_name="grid gap-4 sm:grid-cols-2",
        ),
        stored_token_field(State),
        hub_size(State),
        class_name="flex flex-col gap-4",
    )


def _path() -> rx.Component:
    return field(
        "Folder",
        text_input(name="path", value=State.path, on_change=State.type_path, mono=True, spell_check=False),
        hint="Contains config.json and .safetensors files, which are used in place. It must be in "
        + State.roots_text
        + ".",
        error=problem_of(State, "path"),
        required=True,
    )


def _where() -> rx.Component:
    files = uploaded_files(
        State,
        target_name="model_id",
        title="Drop the model's files or its folder here",
        accept=".safetensors,.json,.txt,.model,.jinja,.md",
        hint="config.json, .safetensors, the processor's and tokenizer's files. Never pickles, never code.",
    )
    return card(
        rx.el.div(
            field(
                "Model source",
                select(
                    _SOURCES,
                    value=State.source,
                    on_change=State.choose_source,
                    label="Model source",
                    disabled=(State.target != "") | (State.into > 0),
                ),
            ),
            rx.match(State.source, ("hub", _hub()), ("path", _path()), files),
            class_name="flex flex-col gap-4",
        ),
        title="Source",
    )


def new() -> rx.Component:
    """The form, or that there is no such model to add files to."""
    return frame(
        rx.cond(
            State.missing,
            not_found("model"),
            _form(),
        ),
        title=State.title,
        active="models",
        breadcrumb=[("Models", "/models")],
    )


def _form() -> rx.Component:
    return rx.fragment(
        back_to_draft(),
        page_header(State.title, note="Checked before it is listed: its config, every tensor, its processor."),
        rx.el.form(
            rx.cond(State.into > 0, rx.fragment(), _about()),
            _where(),
            form_foot(State, "model"),
            on_submit=State.start,
            no_validate=True,
            class_name="flex w-full max-w-3xl min-w-0 flex-col gap-4",
        ),
    )
