"""Answers in words: who is right, what was cold, and a command line that says the same as the page."""

import ast
import json
import shlex

from orchestrator.states.playground.rows import (
    Panel,
    curl_of,
    openai_of,
    panel_of,
    python_of,
    sampled_of,
    stage_of,
    timing_of,
)

CLASSES = [{"label": "left", "probability": 0.91}, {"label": "right", "probability": 0.09}]


def test_bars_say_who_is_right() -> None:
    answer = {"clip": {"reference": "left"}, "adapter": {"id": 1}}
    shown = panel_of(Panel("adapter", "a v1", "", 2), {"labels": CLASSES, "classes": 4, "ms": 12.4}, answer)
    assert (shown.verdict, shown.mark) == ("Says left, right", "right")
    assert [(bar.share, bar.right) for bar in shown.bars] == [(91.0, True), (9.0, False)]
    assert shown.more.startswith("2")
    wrong = panel_of(Panel("base", "b", "", 0), {"labels": CLASSES[1:], "classes": 2}, answer)
    assert (wrong.verdict, wrong.mark) == ("Guesses right, but it is left", "wrong")
    assert "untrained" in wrong.more


def test_several_classes_are_right_together() -> None:
    answer = {"clip": {"reference": "run, jump", "labels": ["run", "jump"]}}
    scores = [{"label": name, "probability": score} for name, score in (("run", 0.9), ("jump", 0.6), ("sit", 0.2))]
    part = {"labels": scores, "classes": 4, "problem_type": "multi_label_classification"}
    shown = panel_of(Panel("adapter", "a v1", "", 2), part, answer)
    assert (shown.verdict, shown.mark) == ("Says run, jump, right", "right")
    assert [bar.right for bar in shown.bars] == [True, True, False]
    assert shown.more.endswith("other class is less likely.")
    fewer = panel_of(Panel("adapter", "a v1", "", 2), part | {"labels": scores[:1]}, answer)
    assert (fewer.verdict, fewer.mark) == ("Says run, but it is run, jump", "wrong")
    assert panel_of(Panel("base", "b", "", 0), part | {"labels": scores[2:]}, {}).verdict == "Says none of its classes"


def test_a_sentence_is_compared_with_every_caption() -> None:
    answer = {"clip": {"reference": "A disc moves.\nIt goes up"}}
    assert panel_of(Panel("base", "b", "", 0), {"text": "it goes up."}, answer).mark == "right"
    assert not panel_of(Panel("base", "b", "", 0), {"text": "a square"}, answer).mark


def test_a_clip_without_a_label_is_not_judged() -> None:
    shown = panel_of(Panel("adapter", "a v1", "", 2), {"labels": CLASSES, "classes": 2}, {"clip": {}})
    assert (shown.verdict, shown.mark) == ("Says left", "")
    assert shown.more.endswith("perhaps none of the classes fits: this model knows only left, right.")
    longer = panel_of(Panel("adapter", "a v1", "", 2), {"labels": CLASSES, "classes": 5}, {"clip": {}})
    assert "left, right and 3" in longer.more


def test_the_time_and_progress_of_an_answer() -> None:
    cold = {"load_ms": 5100, "device": "cpu", "answers": [{"ms": 300}, {"ms": 200}]}
    assert timing_of(cold, 94.6).replace("\xa0", " ") == (
        "94.6 s on the CPU (89.0 s waiting for the worker, 5.1 s loading the model, 500 ms inference)"
    )
    assert timing_of({"load_ms": 0, "device": "cuda:0"}, 0.02).endswith("on the GPU")
    assert stage_of({"progress": [16, 1200], "who": "base"}) == "Embedding the clips: 16 of 1,200"
    assert sampled_of({"frames": 8, "size": [48, 64]}).endswith("frames, 64 × 48")


def test_the_command_line_is_one_that_a_shell_reads() -> None:
    body = {"adapter_id": 3, "clip_id": 4, "prompt": 'what\'s "this"?'}
    words = shlex.split(curl_of("http://localhost:3000", body, ""))
    assert words[:2] == ["curl", "http://localhost:3000/api/v1/infer"]
    assert json.loads(words[-1]) == body
    dropped = curl_of("http://localhost:3000", {"adapter_id": 3, "scratch_id": "$SCRATCH"}, "my clip.mp4")
    assert "--data-binary @my_clip.mp4" in dropped
    assert json.loads(shlex.split(dropped.splitlines()[1])[-1]) == {"adapter_id": 3, "scratch_id": "$SCRATCH"}


ORIGIN = "http://localhost:3000"


def test_a_question_as_a_python_program() -> None:
    body = {"adapter_id": 3, "clip_id": 4, "prompt": 'What\'s "this"?'}
    program = python_of(ORIGIN, body, "")
    assigned = {
        ast.unparse(node.targets[0]): node.value for node in ast.parse(program).body if isinstance(node, ast.Assign)
    }
    assert ast.literal_eval(assigned["question"]) == body
    assert f"{ORIGIN}/api/v1" in program
    dropped = python_of(ORIGIN, {"model_id": 2, "scratch_id": "$SCRATCH"}, "my clip's.mp4")
    assert '"my clip\'s.mp4"' in dropped
    assert "$SCRATCH" not in dropped
    ast.parse(dropped)


def test_a_question_for_openais_client() -> None:
    program = openai_of(ORIGIN, {"adapter_id": 3, "clip_id": 4}, "Describe it.", "")
    ast.parse(program)
    assert "'adapter-3'" in program
    assert "clip:4" in program
    assert "Describe it." in program
    dropped = openai_of(ORIGIN, {"model_id": 2, "prompt": "Why?"}, "Describe it.", "a.mp4")
    ast.parse(dropped)
    assert "'model-2'" in dropped
    assert "base64" in dropped
    assert "Describe it." not in dropped
