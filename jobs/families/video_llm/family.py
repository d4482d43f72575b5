"""Video language models: an eye that stays as it is, a language model in 4 bits that learns to describe clips."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.families.captioning import evaluate_captions
from jobs.families.pixels import missing_processor_warning
from jobs.families.protocol import (
    Answer,
    Base,
    Captions,
    Collate,
    Item,
    Items,
    Plan,
    Question,
    RawOutput,
    Score,
    VisionEncoder,
)
from jobs.families.token_streamer import TokenStreamer
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.chat import QUESTION, ChatCollator, processor_of, read_tokenizer
from jobs.families.weights import enable_generation_cache
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.recipes import Recipe

FRAMES = 8
_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_BATCH = 4
_PROCESSORS = (
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    "processor_config.json",
    "chat_template.json",
    "chat_template.jinja",
)
_LONGEST = 256
"""Tokens of a generated caption at most."""


def _linear_names(model: Any) -> list[str]:
    import torch

    return [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]


class VideoLLM:
    """One architecture of transformers' image-text-to-text models, as `kind` tells it."""

    model_class = "AutoModelForImageTextToText"
    pipeline_tag = "video-text-to-text"
    head: tuple[str, ...] = ()
    reads_logits = False
    is_contrastive = False

    def __init__(self, architecture: Architecture) -> None:
        self.architecture, self.name = architecture, architecture.name
        self.title = FAMILIES[self.name].name_in_sentences

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        if task != "captioning":
            raise Invalid(f"{self.title} describes clips. Choose a dataset with captions, or another base.", "model_id")
        made, step = self.architecture.edge(base.config), self.architecture.step(base.config)
        if self.architecture.fixed and recipe.data.size not in (None, made):
            raise Invalid(f"This base sees exactly {made} x {made} pixels. Leave Frame size empty.", "data.size")
        if recipe.data.size and recipe.data.size % step:
            raise Invalid(f"Frame size must be a multiple of {step} for this base, such as {made}.", "data.size")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        edge, how = recipe.data.size or self.architecture.edge(base.config), processor_of(base)
        cut = bool(how.get("do_center_crop")) and "shortest_edge" in (how.get("size") or {})
        return Sampling(
            count=recipe.data.frames or FRAMES,
            size=(("shortest_edge", edge),) if cut else (("height", edge), ("width", edge)),
            crop=(edge, edge) if cut else None,
            fps=recipe.data.fps,
            resample=int(how.get("resample", 3)),
        )

    def caption_warnings(self, plan: Plan, told: Captions) -> list[str]:
        return missing_processor_warning(plan.base, processor_of(plan.base)) + self._talk(plan).caption_warnings(
            told, _LONGEST
        )

    def load(self, plan: Plan) -> Any:
        from jobs.families.video_llm.load import load_llm

        return load_llm(plan, self.architecture)

    def targets(self, recipe: Recipe, model: Any) -> str:
        names = "|".join(recipe.qlora.target_modules or _LINEAR)
        within = rf"{self.architecture.language}\.({names})"
        if not recipe.qlora.vision:
            return rf"^{within}$"
        seen = [re.escape(name) for name in _linear_names(model) if name.startswith(self.architecture.eyes)]
        return rf"^({within}|{'|'.join(seen)})$"

    def supports_checkpointing(self, plan: Plan) -> bool:
        return plan.device == "cpu"  # on a GPU they are computed again from the start

    def vision_encoder(self, plan: Plan, model: Any) -> VisionEncoder | None:
        from jobs.families.video_llm.vision_tower import FrozenVisionTower, is_frozen

        return FrozenVisionTower(plan, self.architecture, model) if is_frozen(model, self.architecture) else None

    def _talk(self, plan: Plan, question: str = QUESTION) -> ChatCollator:
        return ChatCollator(plan, self.architecture, self.sampling(plan.base, plan.recipe), question)

    def collate(self, plan: Plan) -> Collate:
        return self._talk(plan)

    def chance_level(self, plan: Plan, held: int) -> dict[str, float] | None:
        return None

    def evaluate(self, plan: Plan, model: Any, held: Items, raw: RawOutput, final: bool) -> Score:
        talk = self._talk(plan)
        most = min(_LONGEST, talk.longest(plan.captions) + 8)
        return evaluate_captions(held, final, _BATCH, lambda items: _say(plan, model, talk, items, most))

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        talk = self._talk(plan, question.text or QUESTION)
        mouth = (
            TokenStreamer(talk.tokenizer, question.on_token, skip_prompt=True)
            if question.on_token and len(items) == 1
            else None
        )
        return [Answer(said.strip()) for said in _say(plan, model, talk, items, question.max_new_tokens, mouth)]

    def save_processor(self, plan: Plan, folder: Path) -> None:
        read_tokenizer(plan.base).save_pretrained(folder)
        # As the base has them: AutoProcessor asks each file for a class of its own.
        for path in (plan.base.folder / name for name in _PROCESSORS):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
        enable_generation_cache(folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        from jobs.families.video_llm.program import describe_program

        return "caption.py", describe_program(plan, self.architecture, self.sampling(plan.base, plan.recipe), base_ref)


def _say(
    plan: Plan, model: Any, talk: ChatCollator, items: Sequence[Item], most: int, mouth: TokenStreamer | None = None
) -> list[str]:
    from accelerate.utils import send_to_device

    asked = send_to_device(talk.ask(items), plan.device)
    ids = model.generate(
        **asked,
        max_new_tokens=most,
        do_sample=False,
        pad_token_id=talk.pad_id(),
        eos_token_id=talk.tokenizer.convert_tokens_to_ids(talk.end),
        streamer=mouth,
    )
    return talk.tokenizer.batch_decode(ids[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)
