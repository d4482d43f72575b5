"""Video language models: a vision tower, frozen by default, and a 4-bit language model that learns to answer."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.families.captioning import evaluate_answers
from jobs.families.generation import generate_answers, stop_criteria
from jobs.families.pixels import missing_processor_warning
from jobs.families.protocol import (
    Answer,
    Base,
    Captions,
    Collate,
    Conversations,
    Item,
    Items,
    Plan,
    Question,
    RawOutput,
    Score,
    VisionEncoder,
)
from jobs.families.questions import AskedQuestion
from jobs.families.tokenization import read_tokenizer
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.chat import (
    MAX_CAPTION_TOKENS,
    ChatCollator,
    processor_settings,
    uses_own_processor,
)
from jobs.families.video_llm.contract import write_contract
from jobs.families.video_llm.own_processor import own_processor, processor_sampling
from jobs.families.weights import enable_generation_cache
from jobs.video.cache import ClipSampling, Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.experts import EXPERT_LAYERS, FROZEN, ROUTING_LAYER, count_experts, expert_problems
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.frame_settings import ONLY_KEPT
from orchestrator.domain.recipe_data import FrameShape
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.vision_budget import FRAMES

_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_BATCH = 4
"""Clips for which captions are generated together."""
_PROCESSOR_FILES = (
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    "processor_config.json",
    "chat_template.json",
    "chat_template.jinja",
)


def _linear_names(model: Any) -> list[str]:
    import torch

    return [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]


class VideoLLM:
    """One architecture of transformers' image-text-to-text models."""

    model_class = "AutoModelForImageTextToText"
    pipeline_tag = "video-text-to-text"
    head: tuple[str, ...] = ()
    reads_logits = False
    is_contrastive = False

    def __init__(self, architecture: Architecture) -> None:
        self.architecture, self.name = architecture, architecture.name
        self.title = FAMILIES[self.name].name_in_sentences
        self.packages = architecture.packages

    def supports_checkpointing(self, plan: Plan) -> bool:
        return plan.device == "cpu"  # on a GPU it is on from the start

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        if task != "captioning":
            raise Invalid(f"{self.title} describes clips. Choose a dataset with captions, or another base.", "model_id")
        if count_experts(base.config):
            for field, problem in expert_problems(recipe.qlora):
                raise Invalid(problem, field)
        if self.architecture.is_standard and recipe.data.frame_shape is not FrameShape.KEPT:
            raise Invalid(ONLY_KEPT, "data.frame_shape")
        if uses_own_processor(recipe):
            processor_sampling(base, recipe.data)
            return
        if (recipe.data.min_frames, recipe.data.max_frames, recipe.data.frame_tokens) != (None, None, None):
            raise Invalid(
                f"{self.title} is shown a fixed number of square frames: leave the least and most frames and the "
                "tokens of a frame empty, and choose Frames and Frame size.",
                "data.frame_tokens",
            )
        edge, multiple = self.architecture.frame_edge(base.config), self.architecture.edge_multiple(base.config)
        if self.architecture.fixed_size and recipe.data.size not in (None, edge):
            raise Invalid(f"This base sees exactly {edge} x {edge} pixels. Leave Frame size empty.", "data.size")
        if recipe.data.size and recipe.data.size % multiple:
            raise Invalid(f"Frame size must be a multiple of {multiple} for this base, such as {edge}.", "data.size")

    def sampling(self, base: Base, recipe: Recipe) -> ClipSampling:
        if uses_own_processor(recipe):
            return processor_sampling(base, recipe.data)
        edge, settings = recipe.data.size or self.architecture.frame_edge(base.config), processor_settings(base)
        crops = bool(settings.get("do_center_crop")) and "shortest_edge" in (settings.get("size") or {})
        return Sampling(
            count=recipe.data.frames or FRAMES,
            size=(("shortest_edge", edge),) if crops else (("height", edge), ("width", edge)),
            crop=(edge, edge) if crops else None,
            fps=recipe.data.fps,
            resample=int(settings.get("resample", 3)),
        )

    def caption_warnings(self, plan: Plan, captions: Captions, conversations: Conversations = ()) -> list[str]:
        warnings = missing_processor_warning(plan.base, processor_settings(plan.base))
        warnings += [FROZEN] if count_experts(plan.base.config) and plan.recipe.qlora.enabled else []
        return warnings + self._collator(plan).length_warnings(captions, conversations, MAX_CAPTION_TOKENS)

    def load(self, plan: Plan) -> Any:
        from jobs.families.video_llm.load import load_llm

        return load_llm(plan, self.architecture)

    def targets(self, recipe: Recipe, model: Any) -> str:
        names = "|".join(recipe.qlora.target_modules or self._default_targets(model))
        language = rf"{self.architecture.target_pattern}\.({names})"
        if not recipe.qlora.vision:
            return rf"^{language}$"
        modules = self.architecture.vision_modules
        vision = [re.escape(name) for name in _linear_names(model) if name.startswith(modules)]
        return rf"^({language}|{'|'.join(vision)})$"

    def _default_targets(self, model: Any) -> Sequence[str]:
        """The endings of the layers that get an adapter: of a standard family, those of its language model."""
        names: Sequence[str] = _TARGETS
        if self.architecture.is_standard:
            pattern = re.compile(self.architecture.target_pattern)
            inside = [name for name in _linear_names(model) if pattern.match(name) and not ROUTING_LAYER.search(name)]
            names = sorted({name.rpartition(".")[2] for name in inside})
        if count_experts(model.config.to_dict()):
            return [name for name in names if name not in EXPERT_LAYERS]
        return names

    def vision_encoder(self, plan: Plan, model: Any) -> VisionEncoder | None:
        from jobs.families.video_llm.vision_tower import FrozenVisionTower, is_frozen

        if not is_frozen(model, self.architecture):
            return None
        return FrozenVisionTower(plan, self.architecture, model)

    def _collator(self, plan: Plan, question: Question | None = None) -> ChatCollator:
        return ChatCollator(plan, self.architecture, self.sampling(plan.base, plan.recipe), question)

    def collate(self, plan: Plan) -> Collate:
        return self._collator(plan)

    def chance_level(self, plan: Plan, clip_count: int) -> dict[str, float] | None:
        return None

    def evaluate(self, plan: Plan, model: Any, validation: Items, raw: RawOutput, final: bool) -> Score:
        collator = self._collator(plan)
        length = min(MAX_CAPTION_TOKENS, collator.max_answer_length(plan.captions) + 8)
        return evaluate_answers(
            validation,
            final,
            _BATCH,
            lambda items, asked: _generate(plan, model, collator, items, asked, length),
            collator.can_ask,
        )

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        from accelerate.utils import send_to_device

        collator = self._collator(plan, question)
        inputs = send_to_device(collator.generation_inputs(items), plan.device)
        lengths = inputs["attention_mask"].sum(1).tolist()
        return generate_answers(
            model,
            inputs,
            question,
            collator.tokenizer,
            {collator.end_id()},
            prompt_tokens=lengths,
            prompt_length=inputs["input_ids"].shape[1],
            max_new_tokens=collator.max_answer_tokens(max(lengths), question.max_new_tokens),
            pad_token_id=collator.pad_id(),
            eos_token_id=collator.end_id(),
        )

    def save_processor(self, plan: Plan, folder: Path) -> None:
        if uses_own_processor(plan.recipe):
            own_processor(plan.base.folder, plan.recipe.data).save(folder)
            write_contract(plan, self._collator(plan), self.sampling(plan.base, plan.recipe), folder)
            enable_generation_cache(folder)
            return
        read_tokenizer(plan.base.folder).save_pretrained(folder)
        # Copied as they are: AutoProcessor looks up the classes that each file names.
        for path in (plan.base.folder / name for name in _PROCESSOR_FILES):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
        enable_generation_cache(folder)

    def serving_notes(self, plan: Plan, base_name: str) -> str:
        """How vLLM serves an adapter with the frames that it was trained on; "" where it cannot be told to."""
        from jobs.families.video_llm.own_program import serving_notes

        return serving_notes(plan, base_name) if uses_own_processor(plan.recipe) else ""

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        from jobs.families.video_llm.own_program import own_program
        from jobs.families.video_llm.program import describe_program

        sampling = self.sampling(plan.base, plan.recipe)
        if isinstance(sampling, Sampling):
            return describe_program(plan, self.architecture, sampling, base_ref)
        return own_program(plan, self.architecture, sampling, base_ref)


def _generate(
    plan: Plan,
    model: Any,
    collator: ChatCollator,
    items: Sequence[Item],
    asked: Sequence[AskedQuestion],
    max_new_tokens: int,
) -> list[str]:
    from accelerate.utils import send_to_device

    inputs = send_to_device(collator.generation_inputs(items, asked), plan.device)
    ids = model.generate(
        **inputs,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        pad_token_id=collator.pad_id(),
        eos_token_id=collator.end_id(),
        stopping_criteria=stop_criteria(plan),
    )
    return collator.tokenizer.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
