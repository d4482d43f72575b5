"""TimeSformer (Bertasius et al. 2021): attention over time, then over space, from the same tokens."""

from jobs.families.encoder import Encoder
from orchestrator.domain.families import FAMILIES


class TimeSformer(Encoder):
    """Frames are folded into the blocks by `num_frames` of the config, so their count is fixed."""

    name = "timesformer"
    title = FAMILIES["timesformer"].name_in_sentences
    model_class = "TimesformerForVideoClassification"
    linear = ("qkv", "dense", "temporal_dense")


FAMILY = TimeSformer()
