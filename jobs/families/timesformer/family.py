"""TimeSformer (Bertasius et al. 2021): attention over time, then over space, from the same tokens."""

from jobs.families.encoder import Encoder
from orchestrator.domain.families import FAMILIES


class TimeSformer(Encoder):
    """The blocks separate time from space by the config's `num_frames`, so the number of frames is fixed."""

    name = "timesformer"
    title = FAMILIES["timesformer"].name_in_sentences
    model_class = "TimesformerForVideoClassification"
    default_targets = ("qkv", "dense", "temporal_dense")


FAMILY = TimeSformer()
