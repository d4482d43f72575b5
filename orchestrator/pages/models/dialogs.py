"""The dialogs of a base model: edit its name and description, take it off the list by typing its name."""

import reflex as rx

from orchestrator.pages.shared.forms import edit_dialogs
from orchestrator.states.models.dialogs import ModelDialogsState


def model_dialogs() -> rx.Component:
    """Both, closed until asked for."""
    return edit_dialogs(ModelDialogsState, "model", "take it off the list")
