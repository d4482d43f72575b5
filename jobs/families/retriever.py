"""What every retriever shares: pairs of clip and caption to batches, a pool of held-out clips to R@1, R@5 and R@10."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from jobs.families.contrastive import shared_captions
from jobs.families.dual_encoder import Features, Towers
from jobs.families.pixels import (
    ClipNormalizer,
    generator_for,
    missing_processor_warning,
    sampling_for,
    save_processor_config,
)
from jobs.families.protocol import Answer, Base, Captions, Collate, Item, Items, Plan, Question, RawOutput, Score
from jobs.families.retrieval_eval import embed_pool, evaluate_pool, score_pool_captions, score_queries, unwrap_adapters
from jobs.families.search_program import search_program
from jobs.families.tokenization import CaptionTokenizer, save_tokenizer
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import ALONE, Recipe

POOL = 512
"""Clips of the pool while a run goes on; at its end every held-out clip is in it."""


class PairCollator(ClipNormalizer):
    """Items to `pixel_values`, the tokens of a caption each, and which captions fit which clips."""

    def __init__(self, base: Base, caption_tokenizer: CaptionTokenizer) -> None:
        super().__init__(base)
        self._wording = caption_tokenizer

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        learns, generator = all(item["learn"] for item in items), generator_for(items)
        said = []
        for item in items:
            lines = item["captions"]
            said.append(lines[int(torch.randint(len(lines), (1,), generator=generator))] if learns else lines[0])
        same = torch.from_numpy(shared_captions([item["captions"] for item in items]))
        return {"pixel_values": self.normalize_and_augment(items), "same": same, **self._wording(said)}


class Retriever:
    """Two towers of transformers and their heads; the family says which, and how a clip goes through its tower."""

    name: str
    title: str
    pipeline_tag = "feature-extraction"
    head: tuple[str, ...] = ("visual_projection", "text_projection")
    reads_logits = False
    is_contrastive = True
    model_class: str
    """The class of transformers."""
    mixin: ClassVar[type[Towers]]
    """Its `forward`, as training needs it."""
    linear: ClassVar[tuple[str, ...]] = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    """Name endings of the layers that get an adapter."""
    within: ClassVar[str] = r".*"
    """Where these layers must lie, as a regular expression over the path before the ending."""
    full_length: ClassVar[bool] = False
    frames: ClassVar[int] = 8
    """Seen of a clip where the base does not fix it."""
    sizes: ClassVar[Mapping[str, int]] = {"image_size": 224, "patch_size": 32}
    """What a config leaves out because it is the default."""

    def score_lines(self, base: Base) -> str:
        """Lines of the card's program that work `score` out of `model`, `pixels` and `tokens`."""
        raise NotImplementedError

    def seen(self, base: Base, key: str) -> int:
        """A number of the vision tower's config."""
        vision = base.config.get("vision_config") or {}
        found = vision.get(key, self.sizes.get(key, 0))
        return int(found[0] if isinstance(found, list) else found)

    def fixed_frames(self, base: Base) -> int | None:
        """Frames that the base is bound to; None: any count."""
        return None

    def longest(self, base: Base) -> int:
        """Tokens of a sentence."""
        text = base.config.get("text_config") or {}
        return int(text.get("max_position_embeddings", 77))

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        if task == "classification":
            text = f"{self.title} finds clips by their captions. Choose a dataset with captions, or another base."
            raise Invalid(text, "model_id")
        if recipe.optim.batch_size < 2:
            raise Invalid(ALONE, "optim.batch_size")
        frames, size = self.fixed_frames(base), self.seen(base, "image_size")
        if frames and recipe.data.frames not in (None, frames):
            raise Invalid(f"This base sees exactly {frames} frames. Leave Frames empty.", "data.frames")
        if recipe.data.size not in (None, size):
            raise Invalid(f"This base sees exactly {size} x {size} pixels. Leave Frame size empty.", "data.size")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        count = self.fixed_frames(base) or recipe.data.frames or self.frames
        return sampling_for(base, count, self.seen(base, "image_size"), recipe.data.fps)

    def caption_warnings(self, plan: Plan, told: Captions) -> list[str]:
        return missing_processor_warning(plan.base) + self.caption_tokenizer(plan).caption_warnings(told)

    def load(self, plan: Plan) -> Any:
        from jobs.families.load import load_towers

        return load_towers(plan, self.model_class, self.mixin, self.head)

    def targets(self, recipe: Recipe, model: Any) -> str:
        return rf"{self.within}\.(?:{'|'.join(recipe.qlora.target_modules or self.linear)})"

    def caption_tokenizer(self, plan: Plan) -> CaptionTokenizer:
        return CaptionTokenizer(plan.base, self.longest(plan.base), self.full_length)

    def collate(self, plan: Plan) -> Collate:
        return PairCollator(plan.base, self.caption_tokenizer(plan))

    def supports_checkpointing(self, plan: Plan) -> bool:
        return self.model_class != "VisionTextDualEncoderModel"

    def vision_encoder(self, plan: Plan, model: Any) -> None:
        return None  # its tower learns, and clips are varied

    def chance_level(self, plan: Plan, held: int) -> dict[str, float] | None:
        return None

    def evaluate(self, plan: Plan, model: Any, held: Items, raw: RawOutput, final: bool) -> Score:
        count = len(held) if final else min(len(held), POOL)
        pool = embed_pool(unwrap_adapters(model), ClipNormalizer(plan.base), held, count, plan.device)
        scores = score_pool_captions(unwrap_adapters(model), self.caption_tokenizer(plan), pool, plan.device)
        return evaluate_pool(pool, scores)

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        raise Invalid(f"{self.title} finds clips by a sentence. Search a dataset with it.", "query")

    def embed_clips(self, plan: Plan, model: Any, items: Sequence[Item]) -> Features:
        seen = unwrap_adapters(model).clips(ClipNormalizer(plan.base).normalize(items).to(plan.device))
        return tuple(feature.float().cpu() for feature in seen)

    def score_clips(self, plan: Plan, model: Any, query: str, features: Features) -> list[float]:
        seen = tuple(feature.to(plan.device) for feature in features)
        return score_queries(unwrap_adapters(model), self.caption_tokenizer(plan), [query], seen, plan.device)[
            0
        ].tolist()

    def save_processor(self, plan: Plan, folder: Path) -> None:
        save_processor_config(plan.base, folder)
        save_tokenizer(plan.base, folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        return search_program(
            plan,
            base_ref,
            self.model_class,
            self.head,
            self.sampling(plan.base, plan.recipe).count,
            self.longest(plan.base),
            self.mixin.sees,
            self.full_length,
            self.score_lines(plan.base),
        )
