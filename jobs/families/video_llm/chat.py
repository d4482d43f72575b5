"""Turns clips and captions into what a video language model reads: prompt with marks, answer, tensors of the frames."""

import json
from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from jobs.families.pixels import ClipNormalizer, generator_for
from jobs.families.protocol import Base, Captions, Item, Plan
from jobs.families.tokenization import has_tokenizer
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.vision_features import recall
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid

QUESTION = "Describe the video."
IGNORED = -100


class ChatCollator:
    """A tokenizer with the manners of one base. As a collator: loss on the answer's tokens only."""

    def __init__(self, plan: Plan, architecture: Architecture, sampling: Sampling, question: str = QUESTION) -> None:
        sides = dict(sampling.size)
        self._shape = (sampling.count, 3, *(sampling.crop or (sides["height"], sides["width"])))
        self._placed: tuple[dict[str, torch.Tensor], str] | None = None
        self._prompts: dict[str, list[int]] = {}
        self._answers: dict[str, list[int]] = {}
        self._kind, self._config = architecture, plan.base.config
        self.tokenizer = read_tokenizer(plan.base)
        self._asked = question if question == QUESTION else self._plain(question)
        self._see = ClipNormalizer(Base(plan.base.folder, {}, processor_of(plan.base)))
        self._sizes = architecture.sizes(self._config)
        self._mark = str(self.tokenizer.convert_ids_to_tokens(self.mark_id()))
        self._prompt = self._question()
        ends = self.tokenizer.get_vocab()
        self.end = architecture.end if architecture.end in ends else str(self.tokenizer.eos_token or "")
        self._limit = _context(self._config)

    def mark_id(self) -> int:
        """The number of the token that holds a clip's place."""
        for name in (
            self._kind.token,
            self._kind.token.replace("_id", "_index"),
            self._kind.token.replace("index", "id"),
        ):
            if name in self._config:
                return int(self._config[name])
        raise Invalid(
            f"This base's config.json does not say its {self._kind.token}. Register a whole copy.", "model_id"
        )

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        learns = all(item["learn"] for item in items)
        generator = generator_for(items) if learns else None
        seen, prompts = self.look(items)
        rows = [
            (prompt, self._answer(_choose(item["captions"], generator)))
            for prompt, item in zip(prompts, items, strict=True)
        ]
        width = max(len(prompt) + len(answer) for prompt, answer in rows)
        if self._limit and width > self._limit:
            raise Invalid(
                f"A clip and its caption take {width} tokens, and this base reads {self._limit}. Use fewer frames.",
                "data.frames",
            )
        pad = self.pad_id()
        ids = torch.full((len(rows), width), pad)
        labels, mask = torch.full_like(ids, IGNORED), torch.zeros_like(ids)
        for row, (prompt, answer) in enumerate(rows):
            end = len(prompt) + len(answer)
            ids[row, :end] = torch.tensor([*prompt, *answer])
            labels[row, len(prompt) : end] = torch.tensor(answer)
            mask[row, :end] = 1
        return seen | self._about(ids, mask) | _picked(labels)

    def ask(self, items: Sequence[Item]) -> dict[str, Any]:
        """What `generate` takes: prompts that end together, so that all answers begin together."""
        seen, prompts = self.look(items, writes=True)
        width = max(map(len, prompts))
        ids = torch.full((len(prompts), width), self.pad_id())
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        return seen | self._about(ids, mask)

    def look(self, items: Sequence[Item], writes: bool = False) -> tuple[dict[str, Any], list[list[int]]]:
        """What the model is shown of the clips, and each clip's prompt as token ids."""
        if all("features" in item for item in items):
            tensors, marks = self._place()
            more = recall([item["features"] for item in items], writes)
            found, prompts = [tensors] * len(items), [self._prompt_ids(marks)] * len(items)
        else:
            laid = [self._kind.layout(frames, self._sizes, self._mark) for frames in self._see.normalize(items)]
            more, found, prompts = {}, [tensors for tensors, _ in laid], [self._prompt_ids(marks) for _, marks in laid]
        return {name: torch.cat([tensors[name] for tensors in found]) for name in found[0]} | more, prompts

    def _place(self) -> tuple[dict[str, torch.Tensor], str]:
        """The layout of a clip whose features are known: its shape alone decides."""
        if self._placed is None:
            tensors, marks = self._kind.layout(torch.zeros(self._shape), self._sizes, self._mark)
            kept = {name: value for name, value in tensors.items() if not name.startswith("pixel_values")}
            self._placed = kept, marks
        return self._placed

    def _prompt_ids(self, marks: str) -> list[int]:
        """The same marks stand for every clip of a run, so they are read once."""
        if marks not in self._prompts:
            self._prompts[marks] = self._ids(self._prompt.replace("{clip}", marks), first=True)
        return self._prompts[marks]

    def caption_warnings(self, told: Captions, spoken: int) -> list[str]:
        """Captions that are longer than an answer may grow at an evaluation (`spoken` tokens).

        Raises:
            Invalid: a caption does not fit into the base's context beside the frames.
        """
        seen = len(self._prompt_ids(self._place()[1]))
        lengths = [(len(self._answer(caption)), name) for name, caption in told]
        for length, name in lengths:
            if self._limit and seen + length > self._limit:
                raise Invalid(
                    f"The caption of {name} takes {length} tokens and {self._shape[0]} frames take {seen}; this base "
                    f"reads {self._limit} in all. Shorten it, or use fewer frames.",
                    "data.frames",
                )
        long = [name for length, name in lengths if length > spoken]
        if not long:
            return []
        many = "1 caption is" if len(long) == 1 else f"{len(long)} captions are"
        return [
            f"{many} longer than the {spoken} tokens that are said when the run is judged, so no exact match is "
            f"possible there; the first belongs to {long[0]}."
        ]

    def pad_id(self) -> int:
        for value in (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id):
            if value is not None:
                return int(value) if not isinstance(value, list) else int(value[0])
        return 0

    def longest(self, captions: Sequence[str]) -> int:
        """Tokens of the longest caption and its end."""
        return max((len(self._answer(caption)) for caption in captions), default=32)

    def _answer(self, caption: str) -> list[int]:
        """The caption's tokens as they follow the prompt, worked out once for all epochs."""
        if caption not in self._answers:
            self._answers[caption] = self._following(caption)
        return self._answers[caption]

    def _following(self, caption: str) -> list[int]:
        """A word behind "ASSISTANT:" begins with its blank."""
        tail = self._prompt.rpartition("{clip}")[2]
        asked = self._ids(tail)
        said = self._ids(tail + (" " if tail.endswith(":") else "") + caption + self.end)
        return said[len(asked) :] if said[: len(asked)] == asked else self._ids(caption + self.end)

    def _about(self, ids: torch.Tensor, mask: torch.Tensor) -> dict[str, Any]:
        more: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        if self._kind.typed:
            more["mm_token_type_ids"] = (ids == self.mark_id()).int() * 2
        if self._kind.masked:
            more["image_attention_mask"] = torch.ones(*ids.shape, self._shape[0], dtype=torch.long)
        return more

    def _ids(self, text: str, first: bool = False) -> list[int]:
        begin = self.tokenizer.bos_token
        adds = first and not (begin and text.startswith(str(begin)))
        return list(self.tokenizer(text, add_special_tokens=adds, return_attention_mask=False).input_ids)

    def prompt(self) -> str:
        """The question as the model reads it, `{clip}` where the marks go."""
        return self._prompt

    def _question(self) -> str:
        template = self.tokenizer.chat_template
        if not template or not self._kind.templated:
            return self._kind.prompt.replace("{question}", self._asked)
        content: Any = [{"type": "video"}, {"type": "text", "text": self._asked}]
        try:
            said = self.tokenizer.apply_chat_template(
                [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
            )
        except Exception:  # a template is a program of its own; where it cannot do video, ours is used
            said = ""
        text = str(said)
        whole = text.count(self._kind.slot) == 1
        return (
            text.replace(self._kind.slot, "{clip}") if whole else self._kind.prompt.replace("{question}", self._asked)
        )

    def _plain(self, question: str) -> str:
        """Somebody's own words, without marks that would stand for a clip or for the end of their turn."""
        tokenizer: Any = self.tokenizer
        marks = {"{clip}", "{question}", self._kind.slot, *map(str, tokenizer.get_added_vocab())}
        for mark in sorted(marks, key=len, reverse=True):
            question = question.replace(mark, " ")
        return " ".join(question.split()) or QUESTION


def read_tokenizer(base: Base) -> PreTrainedTokenizerBase:
    """The base's own tokenizer, with its chat template.

    Raises:
        Invalid: it is not there.
    """
    try:
        if not has_tokenizer(base.folder):
            raise ValueError("no tokenizer's file")
        tokenizer: Any = AutoTokenizer.from_pretrained(base.folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(
            "The base model's tokenizer is missing or cannot be read. Register a whole copy of it."
        ) from error
    beside = base.folder / "chat_template.json"
    if not tokenizer.chat_template and beside.is_file():
        tokenizer.chat_template = json.loads(beside.read_text()).get("chat_template")
    return tokenizer


def processor_of(base: Base) -> dict[str, Any]:
    """How pixels are scaled: the video processor's own settings where the base has some."""
    for name in ("video_preprocessor_config.json", "processor_config.json"):
        try:
            found = json.loads((base.folder / name).read_text())
        except (OSError, ValueError):
            continue
        found = found.get("video_processor", found)
        if "image_mean" in found:
            return found
    return base.processor


def _choose(captions: list[str], generator: torch.Generator | None) -> str:
    """One of a clip's sentences: any while learning, the first when judged."""
    if generator is None or len(captions) == 1:
        return captions[0]
    return captions[int(torch.randint(len(captions), (1,), generator=generator))]


def _picked(labels: torch.Tensor) -> dict[str, Any]:
    """What is learned, and where it is said: the scores of a whole vocabulary are worked out nowhere else.

    A prompt is mostly marks of frames, and its scores would take more memory than all the rest of a step.
    """
    following = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORED)
    said = following != IGNORED
    return {"labels": labels, "shift_labels": following[said], "logits_to_keep": said}


def _context(config: dict[str, Any]) -> int:
    text = config.get("text_config") or config
    return int(text.get("max_position_embeddings") or 0)
