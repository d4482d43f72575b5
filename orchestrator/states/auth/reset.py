"""The form behind a link for a new password."""

from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.services.auth import resets
from orchestrator.states.shared.guards import problems_of, public, run_service
from orchestrator.ui.primitives.toast import toast


class ResetState(rx.State):
    """The problems of the form. What is typed stays in the browser."""

    problem: str = ""
    password_problem: str = ""
    confirmation_problem: str = ""
    busy: bool = False

    @rx.event
    @public
    async def open(self):
        """on_load: an empty form."""
        self.problem = self.password_problem = self.confirmation_problem = ""
        self.busy = False

    @rx.event
    @public
    async def submit(self, form: dict[str, Any]):
        """Sets the new password; then the login page is shown."""
        password = str(form.get("password", ""))
        self.problem = self.password_problem = self.confirmation_problem = ""
        if password != str(form.get("confirmation", "")):
            self.confirmation_problem = "The two passwords differ. Type the same one twice."
            return
        self.busy = True
        yield
        link = str(self.router.url.query_parameters.get("link", ""))[:200]
        try:
            await run_service(resets.reset_password, link, password, self.router.session.client_ip)
        except AppError as refused:
            problems = problems_of(refused)
            self.password_problem, self.busy = problems.get("password", ""), False
            self.problem = "" if self.password_problem else refused.message
            return
        self.busy = False
        yield rx.redirect("/login")
        yield toast("success", "Password changed. Log in with the new one.")
