"""Views of a clip: probabilities are averaged, and the logits that stand for them give them back."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from jobs.families.views import average_views


class Model:
    """Logits of a clip: the first pixels of its first frame."""

    def __call__(self, pixel_values: torch.Tensor) -> Any:
        return SimpleNamespace(logits=pixel_values[:, 0, 0, 0, :2])


def _inputs(labels: Any) -> dict[str, Any]:
    pixels = torch.zeros(1, 2, 3, 3, 2, 2)
    pixels[0, 0, 0, 0, 0, 0], pixels[0, 1, 0, 0, 0, 1] = torch.tensor([3.0, 1.0]).log()
    return {"pixel_values": pixels, "labels": labels}


def test_one_label() -> None:
    """(3/4, 1/4) and (1/2, 1/2) are 5/8 and 3/8 in the mean; the loss is -log of the right one."""
    loss, logits = average_views(Model(), _inputs(torch.tensor([1])), multi_label=False)
    assert logits.softmax(-1)[0].tolist() == pytest.approx([5 / 8, 3 / 8])
    assert float(loss) == pytest.approx(-torch.tensor(3 / 8).log().item())


def test_several_labels() -> None:
    """Sigmoid of log 3 is 3/4, of 0 it is 1/2."""
    loss, logits = average_views(Model(), _inputs(torch.tensor([[1.0, 0.0]])), multi_label=True)
    assert logits.sigmoid()[0].tolist() == pytest.approx([5 / 8, 1 / 2])
    assert float(loss) == pytest.approx(-(torch.tensor(5 / 8).log() + torch.tensor(1 / 2).log()).item() / 2)
