"""Shared by all retrieval families: batches of clip and caption pairs, and evaluation by R@1, R@5 and R@10."""

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
from jobs.families.precision import training_precision
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
)
from jobs.families.retrieval_eval import embed_pool, evaluate_pool, score_pool_captions, score_queries, unwrap_adapters
from jobs.families.search_program import search_program
from jobs.families.tokenization import CaptionTokenizer, save_tokenizer
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import ALONE, Recipe

POOL_DURING_RUN = 512
"""Clips of the evaluation's pool during the run; at the end it has every clip of the validation split."""


class PairCollator(ClipNormalizer):
    """Items to `pixel_values`, the tokens of one caption each, and `same` (B, B): which captions fit which clips."""

    def __init__(self, base: Base, tokenizer: CaptionTokenizer, recipe: Recipe | None = None) -> None:
        super().__init__(base, recipe)
        self._tokenizer = tokenizer

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        training, generator = all(item["training"] for item in items), generator_for(items)
        texts = []
        for item in items:
            captions = item["captions"]
            index = int(torch.randint(len(captions), (1,), generator=generator)) if training else 0
            texts.append(captions[index])
        same = torch.from_numpy(shared_captions([item["captions"] for item in items]))
        return {"pixel_values": self.normalize_and_augment(items), "same": same, **self._tokenizer(texts)}


class Retriever:
    """Two towers of transformers with projection heads; a family says which, and how a clip is encoded."""

    name: str
    title: str
    pipeline_tag = "feature-extraction"
    head: tuple[str, ...] = ("visual_projection", "text_projection")
    reads_logits = False
    is_contrastive = True
    model_class: str
    towers: ClassVar[type[Towers]]
    """Mixed into the class of transformers."""
    default_targets: ClassVar[tuple[str, ...]] = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    """Name endings of the layers that get an adapter where the recipe names none."""
    target_path: ClassVar[str] = r".*"
    """A regular expression for the part of a layer's name before the ending."""
    pad_to_max_length: ClassVar[bool] = False
    default_frames: ClassVar[int] = 8
    """Frames of a clip where neither base nor recipe fixes them."""
    config_defaults: ClassVar[Mapping[str, int]] = {"image_size": 224, "patch_size": 32}
    """Settings of the vision tower that a config leaves out because they are the class's defaults."""

    def score_code(self, base: Base) -> str:
        """Lines of the card's program that compute `score` from `model`, `pixels` (1, T, 3, H, W) and `tokens`."""
        raise NotImplementedError

    def vision_setting(self, base: Base, key: str) -> int:
        """A number of the vision tower's config."""
        vision = base.config.get("vision_config") or {}
        value = vision.get(key, self.config_defaults.get(key, 0))
        return int(value[0] if isinstance(value, list) else value)

    def fixed_frames(self, base: Base) -> int | None:
        """The only frame count that the base takes; None where it takes any."""
        return None

    def max_text_tokens(self, base: Base) -> int:
        text = base.config.get("text_config") or {}
        return int(text.get("max_position_embeddings", 77))

    def supports_checkpointing(self, plan: Plan) -> bool:
        return self.model_class != "VisionTextDualEncoderModel"

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        if task == "classification":
            text = f"{self.title} finds clips by their captions. Choose a dataset with captions, or another base."
            raise Invalid(text, "model_id")
        if recipe.optim.batch_size < 2:
            raise Invalid(ALONE, "optim.batch_size")
        frames, size = self.fixed_frames(base), self.vision_setting(base, "image_size")
        if frames and recipe.data.frames not in (None, frames):
            raise Invalid(f"This base sees exactly {frames} frames. Leave Frames empty.", "data.frames")
        if recipe.data.size not in (None, size):
            raise Invalid(f"This base sees exactly {size} x {size} pixels. Leave Frame size empty.", "data.size")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        count = self.fixed_frames(base) or recipe.data.frames or self.default_frames
        return sampling_for(base, count, self.vision_setting(base, "image_size"), recipe.data.fps)

    def caption_warnings(self, plan: Plan, captions: Captions, conversations: Conversations = ()) -> list[str]:
        return missing_processor_warning(plan.base) + self.tokenizer(plan).truncation_warnings(captions)

    def load(self, plan: Plan) -> Any:
        from jobs.families.load import load_towers

        model = load_towers(plan, self.model_class, self.towers, self.head)
        model.chunk_size = plan.recipe.optim.chunk_size
        return model

    def targets(self, recipe: Recipe, model: Any) -> str:
        return rf"{self.target_path}\.(?:{'|'.join(recipe.qlora.target_modules or self.default_targets)})"

    def vision_encoder(self, plan: Plan, model: Any) -> None:
        return None  # its layers get adapters, and clips are augmented

    def tokenizer(self, plan: Plan) -> CaptionTokenizer:
        return CaptionTokenizer(plan.base, self.max_text_tokens(plan.base), self.pad_to_max_length)

    def collate(self, plan: Plan) -> Collate:
        return PairCollator(plan.base, self.tokenizer(plan), plan.recipe)

    def chance_level(self, plan: Plan, clip_count: int) -> dict[str, float] | None:
        return None

    def evaluate(self, plan: Plan, model: Any, validation: Items, raw: RawOutput, final: bool) -> Score:
        count = len(validation) if final else min(len(validation), POOL_DURING_RUN)
        towers = unwrap_adapters(model)
        with training_precision(plan):
            pool = embed_pool(towers, ClipNormalizer(plan.base), validation, count, plan.device)
            scores = score_pool_captions(towers, self.tokenizer(plan), pool, plan.device)
        return evaluate_pool(pool, scores)

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        raise Invalid(f"{self.title} finds clips by a sentence. Search a dataset with it.", "query")

    def embed_clips(self, plan: Plan, model: Any, items: Sequence[Item]) -> Features:
        pixels = ClipNormalizer(plan.base).normalize(items).to(plan.device)
        return tuple(feature.float().cpu() for feature in unwrap_adapters(model).encode_clips(pixels))

    def score_clips(self, plan: Plan, model: Any, query: str, features: Features) -> list[float]:
        on_device = tuple(feature.to(plan.device) for feature in features)
        return score_queries(unwrap_adapters(model), self.tokenizer(plan), [query], on_device, plan.device)[0].tolist()

    def save_processor(self, plan: Plan, folder: Path) -> None:
        save_processor_config(plan.base, folder)
        save_tokenizer(plan.base, folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        return search_program(
            plan,
            base_ref,
            self.model_class,
            self.head,
            count=self.sampling(plan.base, plan.recipe).count,
            max_text_tokens=self.max_text_tokens(plan.base),
            text_inputs=self.towers.text_inputs,
            pad_to_max_length=self.pad_to_max_length,
            score_code=self.score_code(plan.base),
        )
