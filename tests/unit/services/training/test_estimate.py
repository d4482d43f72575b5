"""What a run is said to cost before it is launched."""

from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ModelType
from orchestrator.services.training.estimate import Measurement, count_steps, estimate
from orchestrator.services.training.memory import activation_bytes, memory_of

LAYERS = [
    {"suffix": "query", "count": 4, "parameters": 65_536, "in_features": 128, "out_features": 128, "default": True}
]
DETAILS = {"hidden_size": 128, "blocks": 4, "frames": 8, "image_size": 48, "heads": 4, "layers": LAYERS}


def model() -> VideoModel:
    return VideoModel(
        name="tiny",
        model_type=ModelType.CLASSIFICATION,
        architecture="VideoMAE",
        source=ModelSource.BUILTIN,
        parameters=843_144,
        details=DETAILS,
    )


def test_an_adapter_adds_rank_times_both_sides() -> None:
    assert estimate(model(), parse_recipe({"qlora": {"r": 16}}), 192).trainable_parameters == 4 * 16 * (128 + 128)


def test_a_classifiers_head_counts_with_the_adapters() -> None:
    head = {"suffix": "classifier", "count": 1, "parameters": 1024, "in_features": 128, "out_features": 8}
    base = model()
    base.details = DETAILS | {"layers": [*LAYERS, head | {"default": False}]}
    recipe = parse_recipe({"qlora": {"r": 16, "target_modules": ["query"]}})
    facts = estimate(base, recipe, 192, classes=4)
    assert (facts.trainable_parameters, facts.counts_head) == (4 * 16 * (128 + 128) + 4 * 128 + 4, True)
    assert not estimate(model(), recipe, 192, classes=4).counts_head


def test_steps_count_the_smaller_last_batch() -> None:
    assert count_steps(parse_recipe({"optim": {"batch_size": 16, "epochs": 3}}), 33) == 9
    assert count_steps(parse_recipe({"optim": {"batch_size": 16, "epochs": 3, "max_steps": 5}}), 33) == 5


def test_memory_grows_with_the_batch_and_never_forgets_the_process() -> None:
    small, large = (parse_recipe({"optim": {"batch_size": size}}) for size in (4, 64))
    assert activation_bytes(model(), large) == 16 * activation_bytes(model(), small)
    assert estimate(model(), small, 192).memory_bytes > 700 * 10**6


def test_time_is_given_only_when_it_was_measured() -> None:
    recipe = parse_recipe({"optim": {"batch_size": 16, "epochs": 10}})
    assert estimate(model(), recipe, 192).seconds == 0.0
    assert estimate(model(), recipe, 192, samples_per_s=24.0).seconds == 80.0


def test_a_measure_is_carried_to_another_batch_by_what_grows() -> None:
    """Twice the activations that were said, in truth: twice as much again with twice the batch."""
    four, eight = (parse_recipe({"optim": {"batch_size": size}}) for size in (4, 8))
    trainable = estimate(model(), four, 192).trainable_parameters
    said = memory_of(model(), four, trainable)

    def carried(measured_bytes: int) -> int:
        times = {"load_s": 1.0, "step_s": 1.0, "eval_s": 1.0, "decode_s": 1.0}
        measured = Measurement(memory=said, memory_bytes=measured_bytes, result={}, exact=False, **times)
        return estimate(model(), eight, 192, measured=measured).memory_bytes

    assert carried(said.fixed + 2 * said.activations) == said.fixed + 4 * said.activations
    # Far more than activations can be is something that does not grow.
    assert carried(said.fixed + 9 * said.activations) == said.fixed + 12 * said.activations


def test_frames_that_are_seen_one_by_one_are_counted_one_by_one() -> None:
    pairs, single = model(), model()
    pairs.details = DETAILS | {"tubelet_size": 2}
    assert activation_bytes(single, parse_recipe({})) == 2 * activation_bytes(pairs, parse_recipe({}))
    single.details = DETAILS | {"text_hidden": 128, "text_blocks": 4}
    assert activation_bytes(single, parse_recipe({})) > 2 * activation_bytes(pairs, parse_recipe({}))
