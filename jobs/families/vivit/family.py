"""ViViT (Arnab et al. 2021): a ViT over tubelets; its processor rescales pixels to -1..1 before it normalizes."""

from jobs.families.encoder import Encoder
from orchestrator.domain.families import FAMILIES


class ViViT(Encoder):
    """It has one position embedding for each tubelet, so frame count and frame size are fixed."""

    name = "vivit"
    title = FAMILIES["vivit"].name_in_sentences
    model_class = "VivitForVideoClassification"
    default_targets = ("q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2")
    renamed_layers = {
        "query": ("q_proj",), "key": ("k_proj",), "value": ("v_proj",), "dense": ("o_proj", "fc1", "fc2"),
    }  # fmt: skip


FAMILY = ViViT()
