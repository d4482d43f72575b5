"""What a dataset's card says is true, also before anything of it can be learnt from."""

from typing import Any

from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.formatting import NBSP
from orchestrator.services.datasets.overview import DatasetExtras
from orchestrator.services.datasets.rows import dataset_row
from orchestrator.states.datasets.rows import DatasetCard, dataset_card


def card(**values: Any) -> DatasetCard:
    given: dict[str, Any] = {"id": 1, "owner_id": 1, "name": "hands", "status": DatasetStatus.READY} | values
    return dataset_card(dataset_row(Dataset(**given)), DatasetExtras())


def test_clips_that_wait_for_their_labels_are_counted() -> None:
    mute = card(bad_count=3)
    assert (mute.clips, mute.clip_word, mute.classes, mute.size) == ("0", f"of 3{NBSP}clips in use", "", "")
    some = card(bad_count=3, clip_count=1, size_bytes=500, class_names=["a"])
    assert (some.clips, some.clip_word, some.classes, some.size) == ("1", "clip", f"1{NBSP}class", f"500{NBSP}B")


def test_a_description_ends_before_the_next_sentence() -> None:
    said = [card(description=text).description for text in ("", "My hands", "My hands.", "Whose?")]
    assert said == ["", "My hands.", "My hands.", "Whose?"]
