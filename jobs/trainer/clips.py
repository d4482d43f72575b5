"""The run's clips as a torch dataset over the frame cache, or over the features of a frozen vision encoder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from torch.utils.data import Dataset

from jobs.families.augment import ClipAugmenter
from jobs.families.protocol import Item
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.features import FeatureCache
from jobs.video.cache import ClipFile, FrameCache, TimedFrames
from jobs.video.lookahead import DecodeAhead
from jobs.video.orientation import Frames

_AHEAD = 8
"""Clips of an evaluation that are decoded ahead."""


def clip_file(clip: ClipSpec) -> ClipFile:
    """The clip as the caches identify it."""
    return ClipFile(Path(clip.path), clip.content_hash, clip.name or Path(clip.path).name, clip.span)


class ClipDataset(Dataset[Item]):
    """Decodes a clip when it is first used, so that the first step waits for one batch only."""

    def __init__(
        self,
        clips: Sequence[ClipSpec],
        class_names: Sequence[str],
        cache: FrameCache,
        training: bool,
        augmenter: ClipAugmenter | None = None,
        seed: int = 0,
    ) -> None:
        """
        Args:
            augmenter: varies the frames of training clips.
            seed: of the run, for the augmenter.
        """
        self._augmenter, self._seed = augmenter, seed
        self._clips, self._cache, self._training = clips, cache, training
        self.kept: FeatureCache | None = None
        """Where it is set, items have features instead of frames."""
        self.ahead: DecodeAhead | None = None
        """Decodes announced clips whose frames are in no cache; None where loader processes do."""
        self._epoch = 0
        self._index = {name: i for i, name in enumerate(class_names)}

    def set_epoch(self, epoch: int) -> None:
        """Called by the loader as an epoch begins: augmentations of a clip differ from epoch to epoch."""
        self._epoch = epoch

    def files(self) -> Iterator[ClipFile]:
        """The files of all clips, in their order."""
        return map(clip_file, self._clips)

    def announce(self, indices: Sequence[int]) -> None:
        """Begins to decode clips of the next batch, where they are in no cache."""
        files = [clip_file(self._clips[index]) for index in indices]
        if self.kept is not None:
            self.kept.expect(files)
        elif self.ahead is not None and self._cache.full:
            self.ahead.expect((file for file in files if not self._cache.has(file)), keep=False)

    def frames(self, index: int) -> Frames:
        """The frames of a clip, whether or not its features are cached."""
        return self._cache.frames(clip_file(self._clips[index]))

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> Item:
        file = clip_file(self._clips[index])
        if not self._training:  # evaluated one after the other
            following = range(index + 1, min(index + 1 + _AHEAD, len(self._clips)))
            self.announce(following)
            upcoming = [clip_file(self._clips[other]) for other in following] if self.kept else []
        else:
            upcoming = []
        if self.kept is not None:
            return self._item(index, {"features": self.kept.features(file, upcoming)})
        frames, timing = self._frames(file)
        if self._augmenter is not None and self._training:
            frames = self._augmenter.apply(frames, (self._seed, self._epoch, index))
        return self._item(index, {"frames": frames, "timing": timing})

    def __getitems__(self, indices: Sequence[int]) -> list[Item]:
        """A batch at once, as a loader asks for it: several clips are encoded together."""
        if self.kept is None or not self._training:
            return [self[index] for index in indices]
        features = self.kept.of_batch([clip_file(self._clips[index]) for index in indices])
        return [self._item(index, {"features": found}) for index, found in zip(indices, features, strict=True)]

    def _frames(self, file: ClipFile) -> TimedFrames:
        return self._cache.timed_frames(file) if self.ahead is None else self.ahead.timed_frames(file, keep=True)

    def _item(self, index: int, content: Item) -> Item:
        clip = self._clips[index]
        annotated = clip.annotated
        labels = [self._index[name] for name in annotated.labels if name in self._index]
        return content | {
            "label": labels[0] if labels else -1,
            "labels": labels,
            "captions": list(annotated.captions),
            "conversations": list(annotated.conversations),
            "clip_id": clip.id,
            "training": self._training,
            "seed": (self._epoch, index),
        }
