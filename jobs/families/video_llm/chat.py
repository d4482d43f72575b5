"""Turns clips and conversations into a video language model's inputs: prompt tokens, answers, frames."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import torch

from jobs.families.pixels import ClipNormalizer, generator_for
from jobs.families.protocol import Base, Captions, Conversations, Features, Item, Plan, Question
from jobs.families.questions import AskedQuestion, caption_conversation, choose_conversation
from jobs.families.tokenization import read_tokenizer
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.chat_templates import without_thoughts
from jobs.families.video_llm.chat_tokens import ChatTokens
from jobs.families.video_llm.own_processor import OwnProcessor, own_processor
from jobs.families.video_llm.prompt import chat_of, chat_of_question
from jobs.families.video_llm.vision_features import as_model_inputs, split_layout
from jobs.video.cache import ClipSampling, Sampling
from orchestrator.domain.annotations import Conversation
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_data import FrameShape
from orchestrator.domain.recipes import Recipe

MAX_CAPTION_TOKENS = 256
"""Tokens of a caption that is generated for an evaluation, at most."""
IGNORED = -100
"""The label of tokens that do not count in the loss."""


class ChatCollator:
    """Formats clips as a chat, as one base expects it; as a collator, with a loss on the tokens of the answers only."""

    def __init__(
        self, plan: Plan, architecture: Architecture, sampling: ClipSampling, question: Question | None = None
    ) -> None:
        """`question`: of a user; None for what is asked where nobody asks."""
        self._count, self._own = sampling.count, processor_of(plan)
        self._clip_shape = _square_shape(sampling)
        self._layout: tuple[dict[str, torch.Tensor], str] | None = None
        self._architecture, self._config = _completed(architecture, self._own), plan.base.config
        self.tokenizer = read_tokenizer(plan.base.folder)
        if self._own is not None:
            self.tokenizer.chat_template = self._template(self._own, self.tokenizer.chat_template)
        self._normalizer = ClipNormalizer(Base(plan.base.folder, {}, processor_settings(plan.base)))
        self._sizes = architecture.layout_sizes(self._config)
        self._video_token = str(self.tokenizer.convert_ids_to_tokens(self.video_token_id()))
        self._tokens = ChatTokens(self.tokenizer, self._architecture, self._video_token)
        self._chat = chat_of_question(question or Question(), plan.question, plan.system)
        self.end_token = self._tokens.format.end_token
        self._max_context = _max_context(self._config)

    def _template(self, own: OwnProcessor, known: Any) -> Any:
        """The template of the chat: the processor's for a standard family, else the tokenizer's where it has one."""
        if self._architecture.is_standard:
            return own.processor.chat_template
        return without_thoughts(known) if isinstance(known, str) and known else known or own.template

    def video_token_id(self) -> int:
        """The id of the token that stands for a part of the clip.

        Raises:
            Invalid: neither the config nor the tokenizer names it.
        """
        token, key = self._architecture.clip_token, self._architecture.token_key
        for name in (
            () if self._architecture.is_standard else (key, key.replace("_id", "_index"), key.replace("index", "id"))
        ):
            if name in self._config:
                return int(self._config[name])
        if token and token in self.tokenizer.get_vocab():
            return int(cast(Any, self.tokenizer.convert_tokens_to_ids(token)))
        raise Invalid(f"This base's config.json does not name its {key}. Register a complete copy.", "model_id")

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        """The arguments of `forward` for training or scoring: one conversation of each clip, padded on the right."""
        generator = generator_for(items) if all(item["training"] for item in items) else None
        vision, texts = self.vision_inputs(items)
        conversations = [choose_conversation(item, generator) for item in items]
        rows = [
            self._tokens.learned(text, chat_of(self._cut(conversation, text), answers_last=True))
            for text, conversation in zip(texts, conversations, strict=True)
        ]
        width = max(len(ids) for ids, _ in rows)
        if self._max_context and width > self._max_context:
            raise Invalid(
                f"A clip and its caption take {width} tokens, and this base reads {self._max_context}. "
                "Use fewer frames.",
                "data.frames",
            )
        ids = torch.full((len(rows), width), self.pad_id())
        labels, mask = torch.full_like(ids, IGNORED), torch.zeros_like(ids)
        for row, (tokens, learned) in enumerate(rows):
            end = len(tokens)
            ids[row, :end] = torch.tensor(tokens)
            labels[row, :end] = torch.where(torch.tensor(learned), ids[row, :end], IGNORED)
            mask[row, :end] = 1
        return vision | self._text_inputs(ids, mask) | _loss_inputs(labels)

    def generation_inputs(self, items: Sequence[Item], asked: Sequence[AskedQuestion] | None = None) -> dict[str, Any]:
        """The arguments of `generate`: prompts padded on the left, so that all answers begin together.

        Args:
            asked: the question about each clip; None for the question of the collator.
        """
        vision, texts = self.vision_inputs(items, generates=True)
        chats = [self._chat] * len(items)
        if asked is not None:
            chats = [chat_of(question.conversation, answers_last=False) for question in asked]
        prompts = [self._tokens.prompt(text, chat) for text, chat in zip(texts, chats, strict=True)]
        width = max(map(len, prompts))
        ids = torch.full((len(prompts), width), self.pad_id())
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        return vision | self._text_inputs(ids, mask)

    def vision_inputs(self, items: Sequence[Item], generates: bool = False) -> tuple[dict[str, Any], list[str]]:
        """The tensors of the clips, from frames or cached features, and the text that stands for each clip."""
        if all("features" in item for item in items):
            stored, clips, texts = self._stored_features(items)
            features = as_model_inputs(stored, generates)
        elif self._own is not None:
            prepared, features = [self._own.prepare(item["frames"], item.get("timing")) for item in items], {}
            clips, texts = [tensors for tensors, _ in prepared], [text for _, text in prepared]
        else:
            pixels, features = self._normalizer.normalize(items), {}
            layouts = [self._architecture.square_layout(frames, self._sizes, self._video_token) for frames in pixels]
            clips, texts = [tensors for tensors, _ in layouts], [text for _, text in layouts]
        joined = self._own.join(clips) if self._own is not None else _join(clips)
        return joined | features, texts

    def _stored_features(
        self, items: Sequence[Item]
    ) -> tuple[list[Features], list[dict[str, torch.Tensor]], list[str]]:
        """The cached features of clips, their other tensors, and the text that stands for each."""
        if self._own is None:
            tensors, text = self._layout_without_pixels()
            return [item["features"] for item in items], [tensors] * len(items), [text] * len(items)
        split = [split_layout(item["features"]) for item in items]
        return [one[0] for one in split], [one[1] for one in split], [one[2] for one in split]

    def _usual_text(self) -> str:
        """The text that stands for a clip where none is given: of a run's one shape, or of the smallest clip."""
        return self._layout_without_pixels()[1] if self._own is None else self._own.least_text()

    def _layout_without_pixels(self) -> tuple[dict[str, torch.Tensor], str]:
        """The layout of a clip whose features are cached; it depends on the clip's shape alone."""
        if self._layout is None:
            tensors, text = self._architecture.square_layout(
                torch.zeros(self._clip_shape), self._sizes, self._video_token
            )
            rest = {name: value for name, value in tensors.items() if not name.startswith("pixel_values")}
            self._layout = rest, text
        return self._layout

    def _cut(self, conversation: Conversation, video_text: str) -> Conversation:
        """The conversation up to its last turn that fits the context; the first turn stays whatever its length."""
        if len(conversation.turns) == 1:
            return conversation
        count = self.fitting_turns(conversation, video_text)
        return Conversation(conversation.turns[: max(1, count)], conversation.system)

    def fitting_turns(self, conversation: Conversation, video_text: str | None = None) -> int:
        """How many turns of a conversation fit the base's context together with the clip.

        Args:
            video_text: the text that stands for the clip; None for that of a clip of the run's usual shape.
        """
        text = self._usual_text() if video_text is None else video_text
        count = len(conversation.turns)
        ids, learned = self._tokens.learned(text, chat_of(conversation, answers_last=True))
        if not self._max_context or len(ids) <= self._max_context:
            return count
        ends = [place for place, (now, then) in enumerate(pairwise([*learned, False]), 1) if now and not then]
        count = sum(end <= self._max_context for end in ends)
        # A template may write the last answer in a longer form than the others.
        while count and self._length(conversation, count, text) > self._max_context:
            count -= 1
        return count

    def _length(self, conversation: Conversation, turns: int, video_text: str) -> int:
        """Tokens of the conversation's first turns with the clip."""
        shorter = Conversation(conversation.turns[:turns], conversation.system)
        return len(self._tokens.learned(video_text, chat_of(shorter, answers_last=True))[0])

    def can_ask(self, asked: AskedQuestion) -> bool:
        """Whether a question with its answer and the turns before it fits the base's context."""
        return self.fitting_turns(asked.conversation) == len(asked.conversation.turns)

    def length_warnings(self, captions: Captions, conversations: Conversations, max_new_tokens: int) -> list[str]:
        """Sentences that count the conversations that are cut, and the texts longer than a generated answer may become.

        Raises:
            Invalid: a caption, or the first turn of a conversation, does not fit the base's context with the frames.
        """
        prompt = len(self._tokens.prompt(self._usual_text(), self._chat))
        checked = set[str]()
        for name, caption in captions:
            if caption in checked:
                continue
            checked.add(caption)
            if not self.fitting_turns(caption_conversation(caption)):
                raise Invalid(
                    f"The caption of {name} takes {self._text_tokens(caption)} tokens and {self._count} frames "
                    f"take {prompt}; this base reads {self._max_context} in all. Shorten it, or use fewer frames.",
                    "data.frames",
                )
        cut: list[str] = []
        for name, conversation in conversations:
            count = self.fitting_turns(conversation)
            if not count:
                raise Invalid(
                    f"The first question of {name} with its answer and {self._count} frames take more than the "
                    f"{self._max_context} tokens that this base reads. Shorten it, or use fewer frames.",
                    "data.frames",
                )
            cut += [name] if count < len(conversation.turns) else []
        answers = [(name, turn.answer) for name, conversation in conversations for turn in conversation.turns]
        return [
            *self._cut_warnings(cut),
            *self._long_warnings("caption", captions, max_new_tokens),
            *self._long_warnings("answer", answers, max_new_tokens),
        ]

    def _cut_warnings(self, names: Sequence[str]) -> list[str]:
        if not names:
            return []
        count = "1 conversation is" if len(names) == 1 else f"{len(names)} conversations are"
        its = "its" if len(names) == 1 else "their"
        return [
            f"{count} longer than the {self._max_context} tokens that this base reads with a clip, so {its} last turns "
            f"are left out; the first belongs to {names[0]}."
        ]

    def _long_warnings(self, what: str, texts: Captions, max_new_tokens: int) -> list[str]:
        long = [name for name, text in texts if self._text_tokens(text) > max_new_tokens]
        if not long:
            return []
        count = f"1 {what} is" if len(long) == 1 else f"{len(long)} {what}s are"
        return [
            f"{count} longer than the {max_new_tokens} tokens that are generated when the run is evaluated, so an "
            f"exact match is impossible there; the first belongs to {long[0]}."
        ]

    def _text_tokens(self, text: str) -> int:
        """Tokens of an answer and its end token."""
        return self._tokens.length(text) + 1

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

    def max_answer_length(self, texts: Sequence[str]) -> int:
        """Tokens of the longest caption or answer and its end token."""
        return max(map(self._text_tokens, texts), default=32)

    def _text_inputs(self, ids: torch.Tensor, mask: torch.Tensor) -> dict[str, Any]:
        inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        if self._own is not None and self._architecture.is_standard:
            return inputs | self._own.token_types(ids)
        if self._architecture.needs_token_types:
            inputs["mm_token_type_ids"] = (ids == self.video_token_id()).int() * 2
        if self._architecture.needs_image_mask:
            inputs["image_attention_mask"] = torch.ones(*ids.shape, self._count, dtype=torch.long)
        return inputs

    def prompt(self) -> tuple[str, str, str]:
        """The prompt's text before the clip, between the clip and the last question, and after that question."""
        return self._tokens.prompt_texts(self._chat)

    @property
    def system_is_text(self) -> bool:
        """Whether the template takes the instructions as a text only, and not as a list of parts."""
        return self._tokens.format.system_is_text(self._chat)

    @property
    def question(self) -> str:
        """The last question of the prompt."""
        return self._chat.turns[-1].text


def processor_of(plan: Plan) -> OwnProcessor | None:
    """The base's own processor with the settings of a run; None where frames are made square without it."""
    if not uses_own_processor(plan.recipe):
        return None
    return own_processor(plan.base.folder, plan.recipe.data)


def uses_own_processor(recipe: Recipe) -> bool:
    """Whether clips are prepared by the base's own processor: always, unless a recipe asks for square frames."""
    return recipe.data.frame_shape is FrameShape.KEPT


def _completed(architecture: Architecture, own: OwnProcessor | None) -> Architecture:
    """The architecture of a standard family with what its processor says of the clip's place in the prompt."""
    if own is None or not architecture.is_standard:
        return architecture
    return replace(architecture, video_placeholder=own.processor.video_token, clip_token=own.clip_token)


def _join(clips: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.cat([tensors[name] for tensors in clips]) for name in clips[0]}


def _square_shape(sampling: ClipSampling) -> tuple[int, ...]:
    """(T, 3, H, W) of every clip; () where each has its own."""
    if not isinstance(sampling, Sampling):
        return ()
    sides = dict(sampling.size)
    return (sampling.count, 3, *(sampling.crop or (sides["height"], sides["width"])))


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
