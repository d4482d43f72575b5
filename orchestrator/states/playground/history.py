"""What was tried on the playground in this visit: kept as it was answered, and shown again."""

from typing import Any

import reflex as rx

from orchestrator.domain.tasks import AnswerKind, task_spec
from orchestrator.states.playground.rows import Panel, Past, Scene
from orchestrator.states.shared.address_filters import remember
from orchestrator.states.shared.guards import signed_in

KEPT = 12
NONE = "none"
_SHOWN = ("panels", "timing", "sampled", "curl", "scene", "model_id", "adapter_id", "adapters", "task")
_CHOSEN = ("takes_question", "dataset_id", "tiles", "shown", "more")


class PlaygroundPast(rx.State, mixin=True):
    """The earlier tries, the address that shares one, and whatever belongs to the answer on the page."""

    scene: Scene | None = None
    model_id: str = ""
    adapter_id: str = NONE
    task: str = ""
    takes_question: bool = False
    dataset_id: str = ""
    prompt: str = ""
    query: str = ""
    busy: bool = False
    stage: str = ""
    problem: str = ""
    panels: list[Panel] = []
    timing: str = ""
    sampled: str = ""
    curl: str = ""
    past: list[Past] = []
    _kept: dict[int, dict[str, Any]] = {}
    _count: int = 0
    _asked: dict[str, str] = {}
    """The words of the question that is being answered; what is typed meanwhile is another one."""
    _turn: int = 0
    """Raised with each question and each other choice: an answer to an older one is not shown."""

    @rx.var
    def searches(self) -> bool:
        """The question is a sentence, and the answer are the clips of a dataset that fit it."""
        return task_spec(self.task).answer is AnswerKind.CLIPS

    @rx.var
    def shareable(self) -> bool:
        """The address says all of the question that was asked: not of a clip that was dropped."""
        kept = self.searches or (self.scene is not None and self.scene.clip_id > 0)
        return self.curl != "" and kept

    @rx.event
    @signed_in
    async def look_back(self, number: int):
        """Shows an earlier try as it was; what is still being answered is not waited for."""
        if number not in self._kept:
            return None
        self._drop_answer()
        for name, value in self._kept[number].items():
            setattr(self, name, value)
        return self._remember()

    def _drop_answer(self) -> None:
        """Nothing was asked yet of what is chosen now."""
        self.panels, self.timing, self.sampled, self.problem, self.curl = [], "", "", "", ""
        self.busy, self.stage, self._turn = False, "", self._turn + 1

    def _keep(self) -> None:
        """Puts this try on the list of earlier ones."""
        self._count += 1
        last, searched = self.panels[-1], self.searches
        said = last.bars[0].label if last.bars else last.text or (last.found[0].caption if last.found else "")
        title = self._asked["query"] if searched else self.scene.name if self.scene else ""
        picture = last.found[0].thumbnail if last.found else self.scene.thumbnail if self.scene else ""
        kept = {name: getattr(self, name) for name in (*_SHOWN, *_CHOSEN)} | self._asked
        self._kept = dict([*self._kept.items(), (self._count, kept)][-KEPT:])
        self.past = [Past(self._count, title, said, picture), *self.past][:KEPT]

    def _remember(self) -> Any:
        """The address says what is chosen and asked, so that it can be shared."""
        searches = self.searches
        clip = str(self.scene.clip_id) if self.scene and self.scene.clip_id and not searches else ""
        adapter = "" if self.adapter_id == NONE else self.adapter_id
        model = "" if adapter else self.model_id
        query = self.query.strip() if searches else ""
        prompt = self.prompt.strip() if self.takes_question else ""
        parts = {"adapter": adapter, "model": model, "dataset": self.dataset_id, "clip": clip}
        return remember("/playground", **parts, query=query, prompt=prompt)
