"""V-JEPA 2's classifier without its predictor: twelve layers that only its pretraining uses."""

from typing import Any

from transformers import VJEPA2ForVideoClassification


class _WithoutPredictor(VJEPA2ForVideoClassification):
    def __init__(self, config: Any) -> None:
        super().__init__(config)
        del self.vjepa2.predictor


def classifier_without_predictor() -> Any:
    """The class of transformers under its own name, which is what configs and files will contain."""
    original = VJEPA2ForVideoClassification
    return type(original.__name__, (_WithoutPredictor,), {"__module__": original.__module__})
