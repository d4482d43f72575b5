"""The run's clips as a torch dataset over the frame cache, or over the features of a frozen vision encoder."""

from collections.abc import Sequence
from pathlib import Path

from torch.utils.data import Dataset

from jobs.families.protocol import Item
from jobs.runs.spec import ClipSpec
from jobs.trainer.features import FeatureCache
from jobs.video.cache import ClipFile, FrameCache


def clip_file(clip: ClipSpec) -> ClipFile:
    """The clip as the caches identify it."""
    return ClipFile(Path(clip.path), clip.content_hash, clip.name or Path(clip.path).name, clip.span)


class ClipDataset(Dataset[Item]):
    """Decodes a clip when it is first used, so that the first step waits for one batch only."""

    def __init__(
        self, clips: Sequence[ClipSpec], class_names: Sequence[str], cache: FrameCache, training: bool
    ) -> None:
        self._clips, self._cache, self._training = list(clips), cache, training
        self.kept: FeatureCache | None = None
        """Where it is set, items have features instead of frames."""
        self._epoch = 0
        self._index = {name: i for i, name in enumerate(class_names)}

    def set_epoch(self, epoch: int) -> None:
        """Called by the loader as an epoch begins: augmentations of a clip differ from epoch to epoch."""
        self._epoch = epoch

    @property
    def files(self) -> list[ClipFile]:
        return [clip_file(clip) for clip in self._clips]

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> Item:
        clip = self._clips[index]
        annotated = clip.annotated
        file = clip_file(clip)
        content = {"features": self.kept.features(file)} if self.kept else {"frames": self._cache.frames(file)}
        return content | {
            "label": self._index.get(clip.label, -1),
            "captions": list(annotated.captions),
            "conversations": list(annotated.conversations),
            "clip_id": clip.id,
            "training": self._training,
            "seed": (self._epoch, index),
        }
