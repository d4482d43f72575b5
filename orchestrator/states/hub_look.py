"""Asks the Hub how large a model or dataset is, before anything of it is fetched."""

import reflex as rx

from orchestrator.domain.errors import AppError, NotSignedIn
from orchestrator.services.hub import look_up
from orchestrator.states import words
from orchestrator.states.guards import act, signed_in


class HubLook(rx.State):
    """The last answer, for the id that it was asked about."""

    asking: bool = False
    said: str = ""
    problem: str = ""

    @rx.event
    @signed_in
    async def look(self, kind: str, repo: str, revision: str, token: str, credential: str):
        """`credential`: the id of a stored token, else `token` is used for this question only."""
        self.asking, self.said, self.problem = True, "", ""
        yield
        stored = int(credential) if credential.isdigit() else 0
        try:
            found = await act(self, look_up, kind, repo, revision, token, stored)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problem = error.message
        else:
            files = words.plural(found.files, "file")
            self.said = f"{files}, {words.size(found.bytes)}, commit {found.revision[:10]}."
        self.asking = False

    @rx.event
    @signed_in
    async def forget(self):
        """Another id is being typed."""
        self.said = self.problem = ""
