"""Next to the form: examples of how files can be organized, for the chosen task."""

from typing import assert_never

import reflex as rx

from orchestrator.domain.tasks import Annotation
from orchestrator.pages.datasets.annotation import by_annotation
from orchestrator.pages.shared.forms import small_note
from orchestrator.states.datasets.new import DatasetAddState
from orchestrator.ui.primitives.card import card

_FOLDERS = """gestures.zip
  clapping/
    anna-01.mp4
    anna-02.mp4
  waving/
    anna-03.mp4
    ben-01.mp4"""
_SPLIT = """gestures.zip
  train/clapping/anna-01.mp4
  train/waving/ben-01.mp4
  val/clapping/cleo-01.mp4"""
_TABLE = """metadata.csv
  file_name,label,split
  anna-01.mp4,clapping,train
  cleo-01.mp4,clapping,val"""
_SIDECARS = """kitchen/
  pouring.mp4
  pouring.txt
  stirring.mp4
  stirring.txt"""
_CAPTIONS = """metadata.csv
  file_name,caption
  pouring.mp4,She pours milk.
  stirring.mp4,He stirs the soup."""
_CHAT = """data.json
  [{"messages": [
     {"role": "user",
      "content": "<video>What is he doing?"},
     {"role": "assistant",
      "content": "He stirs the soup."}],
    "videos": ["stirring.mp4"]}]"""


def _example(title: str, layout: str) -> rx.Component:
    return rx.el.figure(
        rx.el.figcaption(title, class_name="text-xs text-muted-foreground"),
        rx.el.pre(
            layout,
            tab_index=0,
            class_name="mt-2 overflow-x-auto rounded-lg bg-muted p-3 font-mono text-xs leading-5",
        ),
    )


def _examples(annotation: Annotation) -> list[rx.Component]:
    """Three examples, and the other layouts by name."""
    match annotation:
        case Annotation.LABEL:
            return [
                _example("One folder for each class; its name is the label.", _FOLDERS),
                _example("With your own split, if you have one.", _SPLIT),
                _example("Or a table that names the clips.", _TABLE),
                small_note(
                    "Also supported: UCF101, HMDB51, Kinetics, ActivityNet, Charades, EPIC-Kitchens, Something-Something v2, "
                    "mmaction and VideoMAE lists, WebDataset, Label Studio, FiftyOne, CVAT, Excel."
                ),
            ]
        case Annotation.CAPTION:
            return [
                _example("A text file next to each clip.", _SIDECARS),
                _example("Or a table that names the clips.", _CAPTIONS),
                _example("Or conversations, as for LLaMA-Factory.", _CHAT),
                small_note(
                    "Also supported: ms-swift, LLaVA and Qwen, OpenAI-style messages, VideoChat2, MSR-VTT, VATEX, WebVid, "
                    "ActivityNet Captions, DiDeMo, Charades-STA, prompts.txt with videos.txt, WebDataset, Excel."
                ),
            ]
        case _:
            assert_never(annotation)


def layout_help() -> rx.Component:
    """Examples for the kind of annotation that the chosen task learns from."""
    return card(
        rx.el.div(
            by_annotation(DatasetAddState.annotation, lambda kind: rx.fragment(*_examples(kind)), rx.fragment()),
            small_note(
                "A dropped folder works like a zip or a tar. Every clip is opened and checked; "
                "one that cannot be read is left out and listed with the reason."
            ),
            class_name="flex flex-col gap-4",
        ),
        title="Folder layout",
    )
