"""Which clips a task can use: those with an annotation of a kind that it takes. No other kind is read in its place."""

from pathlib import PurePosixPath

from orchestrator.domain.annotations import AnnotationKind, Annotations
from orchestrator.domain.datasets import ClipProblem
from orchestrator.domain.tasks import TASKS, Task
from orchestrator.services.datasets.text_repair import normalize_text

_SHOWN_LABELS = 5


def annotation_gap(task: Task, name: str, annotations: Annotations) -> tuple[ClipProblem, str] | None:
    """Why a clip cannot be used for a task; None where it can.

    A label that is only the name of the clip's folder counts as no annotation for a task that takes no labels.

    Args:
        name: the clip's path in the upload.

    Returns:
        (NOT_ANNOTATED or OTHER_ANNOTATION, the sentence).
    """
    spec = TASKS[task]
    if spec.can_use(annotations):
        return None
    short = PurePosixPath(name).name
    if not annotations or annotations == Annotations((folder_label(name),)):
        return ClipProblem.NOT_ANNOTATED, f"{short} has no {spec.annotation.spec.word} yet."
    wanted = " or ".join(kind.word for kind in AnnotationKind if kind in spec.takes)
    return ClipProblem.OTHER_ANNOTATION, f"{short} has {annotations_text(annotations)}; {spec.title} takes {wanted}."


def folder_label(name: str, level: int = 1) -> str:
    """The name of a clip's folder, or of one above it, as a label; "" where there is none."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return normalize_text(parts[-1 - level]).strip() if len(parts) > level else ""


def annotations_text(annotations: Annotations) -> str:
    """What a clip has: "3 labels (run, jump, sit)", "2 captions", "4 questions with answers"."""
    labels, turns = annotations.labels, sum(len(talk.turns) for talk in annotations.conversations)
    shown = ", ".join(labels[:_SHOWN_LABELS]) + (", …" if len(labels) > _SHOWN_LABELS else "")
    parts = [f"{_count(len(labels), 'label', 'labels')} ({shown})"] if labels else []
    parts += [_count(len(annotations.captions), "caption", "captions")] if annotations.captions else []
    parts += [_count(turns, "question with its answer", "questions with answers")] if turns else []
    return ", ".join(parts)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
