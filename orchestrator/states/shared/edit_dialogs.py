"""The two dialogs that a dataset and a base model share: a new name and description, and a deletion that is typed."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, NotFound, NotSignedIn
from orchestrator.domain.numbers import parse_id
from orchestrator.states.shared.guards import act, problems_of, signed_in


class EditDialogs(rx.State, mixin=True):
    """What is typed in the dialogs; nothing changes before their button. Whoever mixes it in opens and ends them."""

    edited: str = rx.SessionStorage("")
    """The id of what is being edited, "" while that dialog is closed. The tab itself keeps this and what is typed: a
    web server that was started again beneath an open dialog has forgotten everything else."""
    name: str = rx.SessionStorage("")
    description: str = rx.SessionStorage("")
    deleting: bool = False
    key: int = 0
    """The id of what is to be deleted."""
    problems: dict[str, str] = {}
    title: str = ""
    """The name of what is to be deleted, to be typed."""
    typed: str = ""
    blocked: str = ""
    """Why it cannot be deleted now."""
    goes: list[str] = []
    """What the deletion takes away and what it leaves."""

    @rx.var
    def editing(self) -> bool:
        return self.edited != ""

    @rx.var
    def confirmed(self) -> bool:
        """The name was typed; a page shows several spaces of it as one."""
        return self.title != "" and self.typed.split() == self.title.split()

    @rx.event
    @signed_in
    async def show_edit(self, opened: bool):
        if not opened:
            self._end_edit()

    @rx.event
    @signed_in
    async def show_delete(self, opened: bool):
        self.deleting = opened and self.deleting

    @rx.event
    @signed_in
    async def type_name(self, text: str):
        self.name = text

    @rx.event
    @signed_in
    async def type_description(self, text: str):
        self.description = text

    @rx.event
    @signed_in
    async def type_title(self, text: str):
        self.typed = text

    def _edit(self, key: int, name: str, description: str) -> None:
        self.edited, self.name, self.description, self.problems = str(key), name, description, {}

    def _end_edit(self) -> None:
        """Nothing of it stays in the tab."""
        self.edited, self.name, self.description, self.problems = "", "", "", {}

    def _ask(self, key: int, name: str, goes: list[str], blocked: str) -> None:
        """Opens the deletion, which is to be confirmed by typing `name`."""
        self.blocked = blocked
        self.key, self.title, self.typed, self.problems = key, name, "", {}
        self.goes, self.deleting = goes, True

    async def _save(self, update: Callable[..., object]) -> rx.event.EventSpec | None:
        """Keeps the new name and description and says so; None after a refusal, which stays beside its field."""
        key, name = parse_id(self.edited), self.name
        try:
            await act(self, update, key, name=name, description=self.description)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self._end_edit()
        return rx.toast.success(f"{name.strip()} is saved.")

    async def _delete(self, delete: Callable[..., Any], to_do: str, done: str) -> rx.event.EventSpec | None:
        """Deletes once the name was typed and says that it is `done`; None after a refusal."""
        if self.typed.split() != self.title.split():
            self.problems = {"typed": f"Type {self.title} to {to_do}."}
            return None
        try:
            await act(self, delete, self.key)
        except NotSignedIn:
            raise
        except NotFound:
            pass  # another tab was quicker: it is gone, as was wished
        except AppError as error:
            self.problems = {"typed": error.message}
            return None
        self.deleting = False
        return rx.toast.success(f"{self.title} is {done}.")
