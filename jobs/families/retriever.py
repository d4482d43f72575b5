"""What every retriever shares: pairs of clip and caption to batches, a pool of held-out clips to R@1, R@5 and R@10."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from jobs.families.contrastive import same_words
from jobs.families.dual_encoder import Features, Towers
from jobs.families.pixels import Pixels, dice_of, sampling_of, unprepared, write_processor
from jobs.families.protocol import Answer, Base, Collate, Item, Items, Plan, Question, Raw, Score, Told
from jobs.families.retrieval_eval import ask_clips, ask_pool, inner_of, score_pool, show_pool
from jobs.families.search_program import search_program
from jobs.families.tokenization import Wording, keep_wording
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import ALONE, Recipe

POOL = 512
"""Clips of the pool while a run goes on; at its end every held-out clip is in it."""


class Pairs(Pixels):
    """Items to `pixel_values`, the tokens of a caption each, and which captions fit which clips."""

    def __init__(self, base: Base, wording: Wording) -> None:
        super().__init__(base)
        self._wording = wording

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        learns, dice = all(item["learn"] for item in items), dice_of(items)
        said = []
        for item in items:
            lines = item["captions"]
            said.append(lines[int(torch.randint(len(lines), (1,), generator=dice))] if learns else lines[0])
        same = torch.from_numpy(same_words([item["captions"] for item in items]))
        return {"pixel_values": self.shown(items), "same": same, **self._wording(said)}


class Retriever:
    """Two towers of transformers and their heads; the family says which, and how a clip goes through its tower."""

    name: str
    title: str
    pipeline_tag = "feature-extraction"
    head: tuple[str, ...] = ("visual_projection", "text_projection")
    reads_logits = False
    contrasts = True
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
        return sampling_of(base, count, self.seen(base, "image_size"), recipe.data.fps)

    def remarks(self, plan: Plan, told: Told) -> list[str]:
        return unprepared(plan.base) + self.wording(plan).remarks(told)

    def load(self, plan: Plan) -> Any:
        from jobs.families.load import load_towers

        return load_towers(plan, self.model_class, self.mixin, self.head)

    def targets(self, recipe: Recipe, model: Any) -> str:
        return rf"{self.within}\.(?:{'|'.join(recipe.qlora.target_modules or self.linear)})"

    def wording(self, plan: Plan) -> Wording:
        return Wording(plan.base, self.longest(plan.base), self.full_length)

    def collate(self, plan: Plan) -> Collate:
        return Pairs(plan.base, self.wording(plan))

    def recomputes(self, plan: Plan) -> bool:
        return self.model_class != "VisionTextDualEncoderModel"

    def eye(self, plan: Plan, model: Any) -> None:
        return None  # its tower learns, and clips are varied

    def chance(self, plan: Plan, held: int) -> dict[str, float] | None:
        return None

    def evaluate(self, plan: Plan, model: Any, held: Items, raw: Raw, final: bool) -> Score:
        count = len(held) if final else min(len(held), POOL)
        pool = show_pool(inner_of(model), Pixels(plan.base), held, count, plan.device)
        scores = ask_pool(inner_of(model), self.wording(plan), pool, plan.device)
        return score_pool(pool, scores)

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        raise Invalid(f"{self.title} finds clips by a sentence. Search a dataset with it.", "query")

    def show(self, plan: Plan, model: Any, items: Sequence[Item]) -> Features:
        seen = inner_of(model).clips(Pixels(plan.base).pixels(items).to(plan.device))
        return tuple(feature.float().cpu() for feature in seen)

    def rank(self, plan: Plan, model: Any, query: str, features: Features) -> list[float]:
        seen = tuple(feature.to(plan.device) for feature in features)
        return ask_clips(inner_of(model), self.wording(plan), [query], seen, plan.device)[0].tolist()

    def keep(self, plan: Plan, folder: Path) -> None:
        write_processor(plan.base, folder)
        keep_wording(plan.base, folder)

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
