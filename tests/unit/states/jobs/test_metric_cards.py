"""Checks the six figures next to a curve, and the results of a job."""

from datetime import UTC, datetime, timedelta

from orchestrator.domain import formatting
from orchestrator.domain.run_summary import RunSummary
from orchestrator.states.jobs import metric_cards, samples
from orchestrator.states.jobs.metric_cards import Tally

OPTIM = {
    "learning_rate": 2e-4,
    "scheduler": "cosine",
    "batch_size": 8,
    "gradient_accumulation": 2,
    "max_grad_norm": 1.0,
}
RECIPE = {"optim": OPTIM}


def _values(tally: Tally) -> dict[str, tuple[str, str, str]]:
    return {card.key: (card.value, card.unit, card.note) for card in metric_cards.cards(tally, RECIPE)}


def test_before_the_first_point_there_are_dashes() -> None:
    values = _values(Tally.empty())
    assert {value for value, _, _ in values.values()} == {"\u2013"}
    assert values["loss"][2] == "with the first step"


def test_figures_of_a_run() -> None:
    tally = Tally.empty()
    for step in range(1, 101):
        tally.add(step, {"loss": 2.0 - step / 100, "samples_per_s": 32.0, "grad_norm": 0.71, "learning_rate": 6.7e-5})
    tally.add(60, {"eval_loss": 0.9, "eval_accuracy": 0.872})
    tally.add(100, {"eval_loss": 1.0, "eval_accuracy": 0.867})
    values = _values(tally)
    assert values["loss"] == ("1.000", "", "\u22120.500 in 50 steps")
    assert values["eval_loss"] == ("1.000", "", "best 0.900 at step 60")
    assert values["eval_accuracy"] == ("86.7", "%", "best 87.2 at step 60")
    assert values["samples_per_s"] == ("0.50", "s / step", "32.0 clips/s")
    assert values["learning_rate"] == ("6.7e-5", "", "cosine, peak 2e-4")
    assert values["grad_norm"][2] == "clipped above 1"


def test_history_and_live_points_give_the_same_figures() -> None:
    live, filled = Tally.empty(), Tally.empty()
    points = [[step, 3.0 / step] for step in range(1, 90)]
    for step, value in points:
        live.add(int(step), {"loss": value})
    filled.fill({"loss": points})
    assert metric_cards.cards(live, RECIPE) == metric_cards.cards(filled, RECIPE)


def test_progress_card() -> None:
    started = datetime.now(UTC) - timedelta(seconds=95)
    card = metric_cards.progress_of(800, 1290, 6.2, 10, started=started, eta_s=1380)
    assert (card.percent, card.step, card.total, card.epoch) == ("62", "800", "1,290", "6.2")
    assert card.elapsed.replace(formatting.NBSP, " ") == "1 min 35 s"
    assert card.left.replace(formatting.NBSP, " ") == "23 min"


def test_progress_card_before_the_start() -> None:
    card = metric_cards.progress_of(0, 0, 0.0, 10, started=None)
    assert (card.percent, card.total, card.elapsed, card.left, card.done_at) == ("0", "", "", "", "")


def test_result_with_its_confusion_matrix() -> None:
    summary = {"eval_accuracy": 0.9, "confusion_matrix": [[9, 1], [1, 9]], "class_names": ["bouncing", "circling"]}
    result = samples.result_of(RunSummary.from_json(summary))
    assert result.headline == f"90.0{formatting.NARROW}%"
    assert result.clips == "accuracy on 20\u00a0validation clips (18 correct)"
    assert [(cell.clips, cell.right) for cell in result.confusion[0].cells] == [(9, True), (1, False)]
    assert result.confusion[0].right == f"90{formatting.NARROW}%"
    assert not samples.result_of(RunSummary.of_values({"loss": 1.0})).known
