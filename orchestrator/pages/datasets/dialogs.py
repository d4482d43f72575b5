"""The dialogs of a dataset: edit its name and description, delete it by typing its name."""

import reflex as rx

from orchestrator.pages.shared.forms import edit_dialogs
from orchestrator.states.datasets.dialogs import DatasetDialogsState


def dataset_dialogs() -> rx.Component:
    """Both, closed until asked for."""
    return edit_dialogs(DatasetDialogsState, "dataset", "delete it", hint="What is in it, where it came from.")
