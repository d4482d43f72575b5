"""Captioning by a video encoder and a small text decoder (`VisionEncoderDecoderModel`)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from jobs.families.captioner.vocabulary import check_caption_lengths, read_tokenizer, unknown_word_warnings
from jobs.families.captioning import evaluate_answers
from jobs.families.generation import generate_answers, stop_criteria
from jobs.families.pixels import ClipNormalizer, augment, generator_for, missing_processor_warning
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
from jobs.families.questions import choose_caption
from jobs.families.videomae.family import FAMILY as ENCODER
from jobs.families.weights import enable_generation_cache
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.recipes import Recipe

_BATCH = 32
"""Clips for which captions are generated together."""


class Captioner:
    """The encoder is a VideoMAE, which fixes frame count and frame size."""

    name = "vision-encoder-decoder"
    title = FAMILIES["vision-encoder-decoder"].name_in_sentences
    model_class = "VisionEncoderDecoderModel"
    pipeline_tag = "video-text-to-text"
    head = ("lm_head", "word_embeddings")
    reads_logits = False
    is_contrastive = False

    def supports_checkpointing(self, plan: Plan) -> bool:
        return True

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        if task != "captioning":
            raise Invalid("This base describes clips. Choose a dataset with captions, or another base.", "model_id")
        encoder = base.config.get("encoder", {}).get("model_type", "nothing")
        if encoder != "videomae":
            text = f"The video encoder of this base is '{encoder}'; only VideoMAE encoders can be trained here."
            raise Invalid(text, "model_id")
        ENCODER.check(_encoder_of(base), recipe, "classification")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        return ENCODER.sampling(_encoder_of(base), recipe)

    def caption_warnings(self, plan: Plan, captions: Captions, conversations: Conversations = ()) -> list[str]:
        tokenizer = read_tokenizer(plan)
        check_caption_lengths(plan.base, tokenizer, captions)
        return missing_processor_warning(plan.base) + unknown_word_warnings(tokenizer, captions)

    def load(self, plan: Plan) -> Any:
        from jobs.families.captioner.load import load_captioner

        return load_captioner(plan)

    def targets(self, recipe: Recipe, model: Any) -> str:
        # The output head is trained in full, so that new words can be generated; everything else gets adapters.
        names = list(recipe.qlora.target_modules) or ["query", "key", "value", "dense"]
        return rf"^(encoder|decoder\.(?!lm_head)\w+)\..*\.({'|'.join(names)})$"

    def vision_encoder(self, plan: Plan, model: Any) -> None:
        return None  # its layers get adapters, and clips are augmented

    def collate(self, plan: Plan) -> Collate:
        return CaptionCollator(plan)

    def chance_level(self, plan: Plan, clip_count: int) -> dict[str, float] | None:
        return None

    def evaluate(self, plan: Plan, model: Any, validation: Items, raw: RawOutput, final: bool) -> Score:
        collator = CaptionCollator(plan)
        return evaluate_answers(
            validation,
            final,
            _BATCH,
            lambda items, _: _generate(plan, model, collator, items),
            can_ask=lambda question: question.is_caption,
        )

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        collator = CaptionCollator(plan)
        pixels = collator.normalizer.normalize(items).to(plan.device)
        end_id: Any = collator.tokenizer.eos_token_id
        return generate_answers(
            model,
            {"pixel_values": pixels},
            question,
            collator.tokenizer,
            {end_id},
            prompt_tokens=[_encoder_tokens(plan.base) + 1] * len(items),
            prompt_length=1,  # the token that begins a caption
            max_new_tokens=min(question.max_new_tokens, _max_caption_tokens(plan.base)),
        )

    def save_processor(self, plan: Plan, folder: Path) -> None:
        (folder / "preprocessor_config.json").write_text(json.dumps(plan.base.processor, indent=2) + "\n")
        read_tokenizer(plan).save_pretrained(folder)
        enable_generation_cache(folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        from jobs.families.captioner.program import caption_program

        return caption_program(plan, base_ref)


class CaptionCollator:
    """Items to `pixel_values` (B, T, 3, H, W) and `labels` (B, L), -100 for padding."""

    def __init__(self, plan: Plan) -> None:
        self.normalizer, self.tokenizer = ClipNormalizer(_encoder_of(plan.base)), read_tokenizer(plan)
        self._augments = plan.recipe.augment.basic

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        pixels = self.normalizer.normalize(items)
        generator = generator_for(items) if all(item["training"] for item in items) else None
        if generator is not None and self._augments:
            pixels = augment(pixels, generator)
        captions = [choose_caption(item["captions"], generator) for item in items]
        # Without the begin token, which the model adds before the labels.
        ids = self.tokenizer(captions, padding=True, truncation=True, return_tensors="pt").input_ids[:, 1:]
        return {"pixel_values": pixels, "labels": ids.masked_fill(ids == self.tokenizer.pad_token_id, -100)}


def _encoder_tokens(base: Base) -> int:
    """How many tokens the encoder makes of a clip: its patches of several frames each."""
    config = AutoConfig.for_model(**base.config["encoder"])
    return config.num_frames // config.tubelet_size * (config.image_size // config.patch_size) ** 2


def _max_caption_tokens(base: Base) -> int:
    """How many tokens the decoder has positions for; RoBERTa's counting leaves the first ones out."""
    return int(base.config["decoder"].get("max_position_embeddings", 64)) - 2


def _generate(plan: Plan, model: Any, collator: CaptionCollator, items: Sequence[Item]) -> list[str]:
    pixels = collator.normalizer.normalize(items).to(plan.device)
    ids = model.generate(pixel_values=pixels, num_beams=1, do_sample=False, stopping_criteria=stop_criteria(plan))
    return collator.tokenizer.batch_decode(ids, skip_special_tokens=True)


def _encoder_of(base: Base) -> Base:
    return Base(base.folder, dict(base.config.get("encoder", {})), base.processor)


FAMILY = Captioner()
