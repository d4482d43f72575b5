"""Turns clips and captions into a video language model's inputs: prompt tokens with video tokens, answer, frames."""

import json
from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from jobs.families.captioning import choose_caption
from jobs.families.pixels import ClipNormalizer, generator_for
from jobs.families.protocol import Base, Captions, Item, Plan, Question
from jobs.families.tokenization import has_tokenizer
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.prompt import build_prompt
from jobs.families.video_llm.vision_features import as_model_inputs
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid

MAX_CAPTION_TOKENS = 256
"""Tokens of a caption that is generated for an evaluation, at most."""
IGNORED = -100
"""The label of tokens that do not count in the loss."""


class ChatCollator:
    """Formats clips as a chat, as one base expects it; as a collator, with a loss on the answer's tokens only."""

    def __init__(
        self, plan: Plan, architecture: Architecture, sampling: Sampling, question: Question | None = None
    ) -> None:
        """`question`: of a user; None for the question that a run trains with.

        Raises:
            Invalid: the base's chat template cannot format the question's earlier turns.
        """
        sides = dict(sampling.size)
        self._clip_shape = (sampling.count, 3, *(sampling.crop or (sides["height"], sides["width"])))
        self._layout: tuple[dict[str, torch.Tensor], str] | None = None
        self._prompts: dict[str, list[int]] = {}
        self._answers: dict[str, list[int]] = {}
        self._architecture, self._config = architecture, plan.base.config
        self.tokenizer = read_tokenizer(plan.base)
        self._normalizer = ClipNormalizer(Base(plan.base.folder, {}, processor_settings(plan.base)))
        self._sizes = architecture.layout_sizes(self._config)
        self._video_token = str(self.tokenizer.convert_ids_to_tokens(self.video_token_id()))
        self._prompt = build_prompt(self.tokenizer, architecture, question)
        known = architecture.end_token in self.tokenizer.get_vocab()
        self.end_token = architecture.end_token if known else str(self.tokenizer.eos_token or "")
        self._max_context = _max_context(self._config)

    def video_token_id(self) -> int:
        """The id of the token that stands for a part of the clip.

        Raises:
            Invalid: the config does not name it.
        """
        key = self._architecture.token_key
        for name in (key, key.replace("_id", "_index"), key.replace("index", "id")):
            if name in self._config:
                return int(self._config[name])
        raise Invalid(f"This base's config.json does not name its {key}. Register a complete copy.", "model_id")

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        """The arguments of `forward` for training or scoring: prompt and answer of each clip, padded on the right."""
        generator = generator_for(items) if all(item["training"] for item in items) else None
        vision, prompts = self.vision_inputs(items)
        captions = [choose_caption(item["captions"], generator) for item in items]
        rows = [(prompt, self._answer_ids(caption)) for prompt, caption in zip(prompts, captions, strict=True)]
        width = max(len(prompt) + len(answer) for prompt, answer in rows)
        if self._max_context and width > self._max_context:
            raise Invalid(
                f"A clip and its caption take {width} tokens, and this base reads {self._max_context}. "
                "Use fewer frames.",
                "data.frames",
            )
        ids = torch.full((len(rows), width), self.pad_id())
        labels, mask = torch.full_like(ids, IGNORED), torch.zeros_like(ids)
        for row, (prompt, answer) in enumerate(rows):
            end = len(prompt) + len(answer)
            ids[row, :end] = torch.tensor([*prompt, *answer])
            labels[row, len(prompt) : end] = torch.tensor(answer)
            mask[row, :end] = 1
        return vision | self._text_inputs(ids, mask) | _loss_inputs(labels)

    def generation_inputs(self, items: Sequence[Item]) -> dict[str, Any]:
        """The arguments of `generate`: prompts padded on the left, so that all answers begin together."""
        vision, prompts = self.vision_inputs(items, generates=True)
        width = max(map(len, prompts))
        ids = torch.full((len(prompts), width), self.pad_id())
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        return vision | self._text_inputs(ids, mask)

    def vision_inputs(self, items: Sequence[Item], generates: bool = False) -> tuple[dict[str, Any], list[list[int]]]:
        """The tensors of the clips, from frames or cached features, and the token ids of each clip's prompt."""
        if all("features" in item for item in items):
            tensors, video_text = self._layout_without_pixels()
            features = as_model_inputs([item["features"] for item in items], generates)
            clips, prompts = [tensors] * len(items), [self._prompt_ids(video_text)] * len(items)
        else:
            pixels, features = self._normalizer.normalize(items), {}
            layouts = [self._architecture.layout(frames, self._sizes, self._video_token) for frames in pixels]
            clips, prompts = [tensors for tensors, _ in layouts], [self._prompt_ids(text) for _, text in layouts]
        return {name: torch.cat([tensors[name] for tensors in clips]) for name in clips[0]} | features, prompts

    def _layout_without_pixels(self) -> tuple[dict[str, torch.Tensor], str]:
        """The layout of a clip whose features are cached; it depends on the clip's shape alone."""
        if self._layout is None:
            tensors, text = self._architecture.layout(torch.zeros(self._clip_shape), self._sizes, self._video_token)
            rest = {name: value for name, value in tensors.items() if not name.startswith("pixel_values")}
            self._layout = rest, text
        return self._layout

    def _prompt_ids(self, video_text: str) -> list[int]:
        """The prompt's tokens; the text for the clip is the same for all clips of a run, so they are kept."""
        if video_text not in self._prompts:
            self._prompts[video_text] = self._tokenize(self._prompt.replace("{clip}", video_text), first=True)
        return self._prompts[video_text]

    def length_warnings(self, captions: Captions, max_new_tokens: int) -> list[str]:
        """A sentence that counts the captions longer than an answer may become at an evaluation; else nothing.

        Raises:
            Invalid: a caption and the frames do not fit into the base's context together.
        """
        prompt = len(self._prompt_ids(self._layout_without_pixels()[1]))
        lengths = [(len(self._answer_ids(caption)), name) for name, caption in captions]
        for length, name in lengths:
            if self._max_context and prompt + length > self._max_context:
                raise Invalid(
                    f"The caption of {name} takes {length} tokens and {self._clip_shape[0]} frames take {prompt}; this "
                    f"base reads {self._max_context} in all. Shorten it, or use fewer frames.",
                    "data.frames",
                )
        long = [name for length, name in lengths if length > max_new_tokens]
        if not long:
            return []
        count = "1 caption is" if len(long) == 1 else f"{len(long)} captions are"
        return [
            f"{count} longer than the {max_new_tokens} tokens that are generated when the run is evaluated, so an "
            f"exact match is impossible there; the first belongs to {long[0]}."
        ]

    def pad_id(self) -> int:
        for value in (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id):
            if value is not None:
                return int(value) if not isinstance(value, list) else int(value[0])
        return 0

    def end_id(self) -> int:
        """The id of the token that ends an answer."""
        token: Any = self.tokenizer.convert_tokens_to_ids(self.end_token)
        return int(token)

    def max_answer_tokens(self, prompt_length: int, wanted: int) -> int:
        """How many of the `wanted` tokens fit behind a prompt.

        Raises:
            Invalid: none does.
        """
        if not self._max_context:
            return wanted
        if prompt_length >= self._max_context:
            raise Invalid(
                f"The clip and the chat take {prompt_length} tokens, and this base reads {self._max_context}. "
                "Send fewer turns, or shorter ones.",
                "messages",
            )
        return min(wanted, self._max_context - prompt_length)

    def max_caption_tokens(self, captions: Sequence[str]) -> int:
        """Tokens of the longest caption and its end token."""
        return max((len(self._answer_ids(caption)) for caption in captions), default=32)

    def _answer_ids(self, caption: str) -> list[int]:
        """The caption's tokens as they follow the prompt, computed once for all epochs."""
        if caption not in self._answers:
            self._answers[caption] = self._tokenize_answer(caption)
        return self._answers[caption]

    def _tokenize_answer(self, caption: str) -> list[int]:
        """Tokenized after the prompt's end: after "ASSISTANT:" the first word's token includes the space before it."""
        tail = self._prompt.rpartition("{clip}")[2]
        tail_ids = self._tokenize(tail)
        ids = self._tokenize(tail + (" " if tail.endswith(":") else "") + caption + self.end_token)
        continues = ids[: len(tail_ids)] == tail_ids
        return ids[len(tail_ids) :] if continues else self._tokenize(caption + self.end_token)

    def _text_inputs(self, ids: torch.Tensor, mask: torch.Tensor) -> dict[str, Any]:
        inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        if self._architecture.needs_token_types:
            inputs["mm_token_type_ids"] = (ids == self.video_token_id()).int() * 2
        if self._architecture.needs_image_mask:
            inputs["image_attention_mask"] = torch.ones(*ids.shape, self._clip_shape[0], dtype=torch.long)
        return inputs

    def _tokenize(self, text: str, first: bool = False) -> list[int]:
        """`first`: the text begins the sequence, so it gets a begin token unless it has one."""
        begin = self.tokenizer.bos_token
        adds_begin = first and not (begin and text.startswith(str(begin)))
        return list(self.tokenizer(text, add_special_tokens=adds_begin, return_attention_mask=False).input_ids)

    def prompt(self) -> str:
        """The prompt as the model reads it, with `{clip}` instead of the video tokens."""
        return self._prompt


def read_tokenizer(base: Base) -> PreTrainedTokenizerBase:
    """The base's own tokenizer, with its chat template.

    Raises:
        Invalid: it is missing or damaged.
    """
    try:
        if not has_tokenizer(base.folder):
            raise ValueError("no tokenizer's file")
        tokenizer: Any = AutoTokenizer.from_pretrained(base.folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(
            "The base model's tokenizer is missing or cannot be read. Register a complete copy of it."
        ) from error
    template = base.folder / "chat_template.json"
    if not tokenizer.chat_template and template.is_file():
        tokenizer.chat_template = json.loads(template.read_text()).get("chat_template")
    return tokenizer


def processor_settings(base: Base) -> dict[str, Any]:
    """How pixels are rescaled and normalized: the video processor's own settings where the base has some."""
    for name in ("video_preprocessor_config.json", "processor_config.json"):
        try:
            settings = json.loads((base.folder / name).read_text())
        except (OSError, ValueError):
            continue
        settings = settings.get("video_processor", settings)
        if "image_mean" in settings:
            return settings
    return base.processor


def _loss_inputs(labels: torch.Tensor) -> dict[str, Any]:
    """The labels, and at which positions logits are needed: over a whole vocabulary they are computed nowhere else.

    Most of a prompt are video tokens, and their logits would take more memory than the rest of a step.

    Args:
        labels: (B, L), `IGNORED` outside of the answers.
    """
    shifted = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORED)
    positions = shifted != IGNORED
    return {"labels": labels, "shift_labels": shifted[positions], "logits_to_keep": positions}


def _max_context(config: dict[str, Any]) -> int:
    text = config.get("text_config") or config
    return int(text.get("max_position_embeddings") or 0)
