"""The two dialogs that datasets and base models share: a new name and description, and a deletion by typed name."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, NotFound
from orchestrator.domain.numbers import parse_id
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in


class EditDialogs(rx.State, mixin=True):
    """What is typed in the dialogs; nothing changes before their button. Subclasses open and submit them."""

    edited: str = rx.SessionStorage("")
    """The id of the record being edited, "" while that dialog is closed. The browser tab stores this and what is typed:
    a web server that is restarted while a dialog is open has lost everything else."""
    name: str = rx.SessionStorage("")
    description: str = rx.SessionStorage("")
    deleting: bool = False
    key: int = 0
    """The id of the record to delete."""
    problems: dict[str, str] = {}
    title: str = ""
    """The name of the record to delete, which has to be typed."""
    typed: str = ""
    blocked: str = ""
    """Why it cannot be deleted now."""
    consequences: list[str] = []
    """What the deletion removes and what it leaves."""

    @rx.var
    def editing(self) -> bool:
        return self.edited != ""

    @rx.var
    def confirmed(self) -> bool:
        """The name was typed; a page shows several spaces as one."""
        return self.title != "" and self.typed.split() == self.title.split()

    @rx.event
    @signed_in
    async def show_edit(self, opened: bool):
        if not opened:
            self._close_edit()

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

    def _open_edit(self, key: int, name: str, description: str) -> None:
        self.edited, self.name, self.description, self.problems = str(key), name, description, {}

    def _close_edit(self) -> None:
        """Removes what was typed from the tab's storage, too."""
        self.edited, self.name, self.description, self.problems = "", "", "", {}

    def _open_delete(self, key: int, name: str, consequences: list[str], blocked: str) -> None:
        """Opens the deletion, which is confirmed by typing `name`."""
        self.blocked = blocked
        self.key, self.title, self.typed, self.problems = key, name, "", {}
        self.consequences, self.deleting = consequences, True

    async def _save(self, update: Callable[..., object]) -> rx.event.EventSpec | None:
        """Stores the new name and description and returns a toast; None after a refusal, which appears at its field."""
        name = self.name
        try:
            await run_as_user(self, update, parse_id(self.edited), name=name, description=self.description)
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self._close_edit()
        return rx.toast.success(f"{name.strip()} is saved.")

    async def _delete(self, delete: Callable[..., Any], purpose: str, done: str) -> rx.event.EventSpec | None:
        """Deletes the record once its name was typed, and returns a toast that it is `done`; None after a refusal."""
        if self.typed.split() != self.title.split():
            self.problems = {"typed": f"Type {self.title} to {purpose}."}
            return None
        try:
            await run_as_user(self, delete, self.key)
        except NotFound:
            pass  # another tab was faster: it is deleted, as intended
        except AppError as error:
            self.problems = {"typed": error.message}
            return None
        self.deleting = False
        return rx.toast.success(f"{self.title} is {done}.")
