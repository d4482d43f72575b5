"""Batches of clips that take about as many tokens, so that little of it is padding: the field `group_by_length`."""

from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices

from jobs.families.protocol import Plan
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.batches import epoch_generator
from orchestrator.domain.annotations import CAPTION_QUESTION, Conversation
from orchestrator.domain.vision_budget import ClipShape
from orchestrator.services.models.vision_tokens import clip_tokens, read_vision_layout

_LETTERS_OF_A_TOKEN = 4
"""About as many as in English text; lengths are only compared with each other."""


class LengthGroups(Sampler[int]):
    """The clips of an epoch in the order of transformers' `group_by_length`, which follows from seed and epoch alone.

    That of transformers draws it from the global random state, which a resumed run has not had since the beginning of
    the epoch.
    """

    def __init__(self, lengths: Sequence[int], clips_per_step: int, seed: int) -> None:
        self._lengths, self._clips_per_step, self._seed = lengths, clips_per_step, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the loader as an epoch begins, or goes on after a resume."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = epoch_generator(self._seed, self._epoch)
        return iter(get_length_grouped_indices(self._lengths, self._clips_per_step, generator=generator))

    def __len__(self) -> int:
        return len(self._lengths)


def clip_lengths(plan: Plan, clips: Sequence[ClipSpec]) -> list[int]:
    """About how many tokens each clip and what is written about it take; no clip is decoded."""
    family = str(plan.base.config.get("model_type"))
    layout = read_vision_layout(family, plan.base.config)
    lengths: list[int] = []
    for clip in clips:
        shape = ClipShape(clip.frames, clip.duration_s, clip.width, clip.height) if clip.width else None
        visual = clip_tokens(family, layout, plan.recipe.data, shape) if layout else 0
        lengths.append(visual + _text_length(clip) // _LETTERS_OF_A_TOKEN)
    return lengths


def _text_length(clip: ClipSpec) -> int:
    """Letters of the longest text that may be drawn of a clip, with its question."""
    annotated = clip.annotated
    captions = (len(CAPTION_QUESTION) + len(caption) for caption in annotated.captions)
    conversations = map(_conversation_length, annotated.conversations)
    return max([*captions, *conversations], default=0)


def _conversation_length(conversation: Conversation) -> int:
    turns = sum(len(turn.asked) + len(turn.answer) for turn in conversation.turns)
    return turns + len(conversation.system)
