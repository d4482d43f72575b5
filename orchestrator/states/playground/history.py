"""The earlier answers of this visit to the playground, which can be shown again."""

from typing import Any

import reflex as rx

from orchestrator.domain.annotations import CAPTION_QUESTION
from orchestrator.domain.tasks import AnswerKind, task_spec
from orchestrator.states.playground.rows import Panel, Past, Scene
from orchestrator.states.shared.address_filters import write_filters
from orchestrator.states.shared.guards import signed_in

MAX_PAST = 12
NONE = "none"
_ANSWER_VARS = (
    "panels",
    "timing",
    "sampled",
    "curl",
    "python",
    "openai",
    "scene",
    "model_id",
    "adapter_id",
    "adapters",
    "task",
)
_CHOICE_VARS = ("takes_question", "usual_question", "dataset_id", "tiles", "clip_limit", "more")


class PlaygroundPast(rx.State, mixin=True):
    """The vars of the shown answer, the earlier answers, and the address that shares one."""

    scene: Scene | None = None
    model_id: str = ""
    adapter_id: str = NONE
    task: str = ""
    takes_question: bool = False
    usual_question: str = CAPTION_QUESTION
    """What is asked where nothing is typed."""
    dataset_id: str = ""
    prompt: str = ""
    query: str = ""
    busy: bool = False
    stage: str = ""
    answer_problem: str = ""
    """Why there is no answer."""
    panels: list[Panel] = []
    timing: str = ""
    sampled: str = ""
    curl: str = ""
    """The shown question as a shell command; "" while there is none."""
    python: str = ""
    openai: str = ""
    """For OpenAI's client; "" where the model writes no text."""
    past: list[Past] = []
    _stored: dict[int, dict[str, Any]] = {}
    _count: int = 0
    _asked: dict[str, str] = {}
    """The text of the question that is being answered; what is typed meanwhile belongs to the next one."""
    _turn: int = 0
    """Increased with each question and each other choice: an answer to an older one is not shown."""

    @rx.var
    def searches(self) -> bool:
        """The question is a sentence, and the answer are the clips of a dataset that fit it."""
        return task_spec(self.task).answer is AnswerKind.CLIPS

    @rx.var
    def shareable(self) -> bool:
        """The address describes the whole question, which it cannot for a dropped clip."""
        in_dataset = self.searches or (self.scene is not None and self.scene.clip_id > 0)
        return self.curl != "" and in_dataset

    @rx.event
    @signed_in
    async def show_past(self, number: int):
        """Shows an earlier answer; one that is still being computed is not waited for."""
        if number not in self._stored:
            return None
        self._drop_answer()
        for name, value in self._stored[number].items():
            setattr(self, name, value)
        return self._write_address()

    def _drop_answer(self) -> None:
        """Clears the answer, which is not about what is chosen now."""
        self.panels, self.timing, self.sampled, self.answer_problem = [], "", "", ""
        self.curl = self.python = self.openai = ""
        self.busy, self.stage, self._turn = False, "", self._turn + 1

    def _store_answer(self) -> None:
        """Adds the answer to the list of earlier ones."""
        self._count += 1
        last, searched = self.panels[-1], self.searches
        answer = last.bars[0].label if last.bars else last.text or (last.hits[0].caption if last.hits else "")
        title = self._asked["query"] if searched else self.scene.name if self.scene else ""
        picture = last.hits[0].thumbnail if last.hits else self.scene.thumbnail if self.scene else ""
        values = {name: getattr(self, name) for name in (*_ANSWER_VARS, *_CHOICE_VARS)} | self._asked
        self._stored = dict([*self._stored.items(), (self._count, values)][-MAX_PAST:])
        self.past = [Past(self._count, title, answer, picture), *self.past][:MAX_PAST]

    def _write_address(self) -> Any:
        """Writes what is chosen and asked into the address, so that it can be shared."""
        searches = self.searches
        clip = str(self.scene.clip_id) if self.scene and self.scene.clip_id and not searches else ""
        adapter = "" if self.adapter_id == NONE else self.adapter_id
        model = "" if adapter else self.model_id
        query = self.query.strip() if searches else ""
        prompt = self.prompt.strip() if self.takes_question else ""
        parts = {"adapter": adapter, "model": model, "dataset": self.dataset_id, "clip": clip}
        return write_filters("/playground", **parts, query=query, prompt=prompt)
