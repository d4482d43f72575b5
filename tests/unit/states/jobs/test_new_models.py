"""Which bases the wizard offers for a dataset: those that fit come first, the others have a reason why they do not."""

from orchestrator.states.jobs.new_rows import ModelChoice, fit_models

MODELS = [
    ModelChoice(number, does, "", does, "", "", 1, "")
    for number, does in enumerate(("classification", "captioning", "retrieval"))
]


def _offered(task: str) -> list[str]:
    return [model.name for model in fit_models(MODELS, task) if not model.reason]


def test_captions_serve_both_who_writes_and_who_searches() -> None:
    assert _offered("classification") == ["classification"]
    assert _offered("captioning") == _offered("retrieval") == ["captioning", "retrieval"]
    assert _offered("") == ["classification", "captioning", "retrieval"]


def test_what_suits_comes_first() -> None:
    names = [model.name for model in fit_models(MODELS, "retrieval")]
    assert names == ["captioning", "retrieval", "classification"]
    assert fit_models(MODELS, "retrieval")[-1].reason == "It does classification; the chosen dataset is for retrieval."
