"""Model families: one title each, and those that earlier versions stored are still understood."""

from orchestrator.domain.families import FAMILIES, LIGER_FAMILIES, current_title, titles_of
from orchestrator.domain.tasks import ModelType


def test_each_family_has_a_title_of_its_own() -> None:
    titles = [row.title for row in FAMILIES.values()]
    assert len(set(titles)) == len(titles)
    assert {title for kind in ModelType for title in titles_of(kind)} == set(titles)


def test_videollama_3_has_one_name_and_its_former_one_is_understood() -> None:
    assert FAMILIES["video_llama_3"].title == "VideoLLaMA 3"
    assert current_title("Video-LLaMA") == "VideoLLaMA 3"
    assert current_title("VideoMAE") == "VideoMAE"
    assert current_title("Custom") == "Custom"


def test_only_video_language_models_have_kernels() -> None:
    assert LIGER_FAMILIES
    assert all(FAMILIES[key].vision for key in LIGER_FAMILIES)
