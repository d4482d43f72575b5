"""A video encoder with a small decoder that says what it sees: captions with adapters on a 4-bit base."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from jobs.families.captioner.words import check_length, tokenizer_of, unknown_word_warnings
from jobs.families.captioning import collapse_whitespace, evaluate_captions
from jobs.families.pixels import ClipNormalizer, augment, generator_for, missing_processor_warning
from jobs.families.protocol import Answer, Base, Captions, Collate, Item, Items, Plan, Question, RawOutput, Score
from jobs.families.token_streamer import TokenStreamer
from jobs.families.videomae.family import FAMILY as ENCODER
from jobs.families.weights import enable_generation_cache
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.recipes import Recipe

_BATCH = 32


class Captioner:
    """transformers' VisionEncoderDecoder with a VideoMAE encoder, which fixes frame count and frame size."""

    name = "vision-encoder-decoder"
    title = FAMILIES["vision-encoder-decoder"].name_in_sentences
    model_class = "VisionEncoderDecoderModel"
    pipeline_tag = "video-text-to-text"
    head = ("lm_head", "word_embeddings")
    reads_logits = False
    is_contrastive = False

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        if task != "captioning":
            raise Invalid("This base describes clips. Choose a dataset with captions, or another base.", "model_id")
        kind = base.config.get("encoder", {}).get("model_type", "nothing")
        if kind != "videomae":
            raise Invalid(f"This base sees with '{kind}'; only a VideoMAE encoder sees clips here.", "model_id")
        ENCODER.check(_eye(base), recipe, "classification")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        return ENCODER.sampling(_eye(base), recipe)

    def caption_warnings(self, plan: Plan, told: Captions) -> list[str]:
        tokenizer = tokenizer_of(plan)
        check_length(plan.base, tokenizer, told)
        return missing_processor_warning(plan.base) + unknown_word_warnings(tokenizer, told)

    def load(self, plan: Plan) -> Any:
        from jobs.families.captioner.load import load_captioner

        return load_captioner(plan)

    def targets(self, recipe: Recipe, model: Any) -> str:
        # What speaks is trained whole, so that new words can be said; the rest gets adapters.
        names = list(recipe.qlora.target_modules) or ["query", "key", "value", "dense"]
        return rf"^(encoder|decoder\.(?!lm_head)\w+)\..*\.({'|'.join(names)})$"

    def collate(self, plan: Plan) -> Collate:
        return CaptionCollator(plan)

    def supports_checkpointing(self, plan: Plan) -> bool:
        return True

    def vision_encoder(self, plan: Plan, model: Any) -> None:
        return None  # its tower learns, and clips are varied

    def chance_level(self, plan: Plan, held: int) -> dict[str, float] | None:
        return None

    def evaluate(self, plan: Plan, model: Any, held: Items, raw: RawOutput, final: bool) -> Score:
        batches = CaptionCollator(plan)
        return evaluate_captions(held, final, _BATCH, lambda items: _say(plan, model, batches, items))

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        batches = CaptionCollator(plan)
        mouth = TokenStreamer(batches.tokenizer, question.on_token) if question.on_token and len(items) == 1 else None
        return [Answer(collapse_whitespace(said)) for said in _say(plan, model, batches, items, mouth)]

    def save_processor(self, plan: Plan, folder: Path) -> None:
        (folder / "preprocessor_config.json").write_text(json.dumps(plan.base.processor, indent=2) + "\n")
        tokenizer_of(plan).save_pretrained(folder)
        enable_generation_cache(folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        from jobs.families.captioner.program import caption_program

        return "caption.py", caption_program(plan, base_ref)


class CaptionCollator:
    """Items to `pixel_values` (B, T, 3, H, W) and `labels` (B, L), -100 where nothing is to be said."""

    def __init__(self, plan: Plan) -> None:
        self.see, self.tokenizer = ClipNormalizer(_eye(plan.base)), tokenizer_of(plan)

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        generator, pixels = generator_for(items), self.see.normalize(items)
        learns = all(item["learn"] for item in items)
        if learns:
            pixels = augment(pixels, generator)
        said = [_choose(item["captions"], generator if learns else None) for item in items]
        # The model puts the begin token before the labels itself.
        ids = self.tokenizer(said, padding=True, truncation=True, return_tensors="pt").input_ids[:, 1:]
        return {"pixel_values": pixels, "labels": ids.masked_fill(ids == self.tokenizer.pad_token_id, -100)}


def _say(
    plan: Plan, model: Any, batches: CaptionCollator, items: Sequence[Item], mouth: TokenStreamer | None = None
) -> list[str]:
    pixels = batches.see.normalize(items).to(plan.device)
    ids = model.generate(pixel_values=pixels, num_beams=1, do_sample=False, streamer=mouth)
    return batches.tokenizer.batch_decode(ids, skip_special_tokens=True)


def _choose(captions: list[str], generator: torch.Generator | None) -> str:
    """One of a clip's sentences: any while learning, the first when judged."""
    if generator is None or len(captions) == 1:
        return captions[0]
    return captions[int(torch.randint(len(captions), (1,), generator=generator))]


def _eye(base: Base) -> Base:
    return Base(base.folder, dict(base.config.get("encoder", {})), base.processor)


FAMILY = Captioner()
