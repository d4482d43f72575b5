"""The report that can be downloaded shows what the trainer wrote, the confusion matrix included."""

import numpy as np

from jobs.families.classification import score_classes
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.results import summarize_evaluation
from orchestrator.domain.tasks import AnswerKind
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.report import report
from tests.studio import launch, make_things


def test_the_report_shows_the_confusion_matrix_of_the_trainer(ada: Actor) -> None:
    names, labels = ["left", "right"], np.array([0, 0, 1, 1, 1])
    logits = np.eye(2, dtype=np.float32)[[0, 1, 1, 1, 1]]
    clips = [ClipSpec(n + 1, f"/{n}.mp4", names[label], "", "auto", str(n)) for n, label in enumerate(labels)]
    score = score_classes(logits, labels, names)
    evaluated = summarize_evaluation(score, AnswerKind.CLASSES, 0.5, clips)
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        session.get_one(TrainingJob, job_id).summary = evaluated.summary
    with session_scope() as session:
        _, page = report(session, ada, job_id)
    matrix = page.split("<h2>Confusion matrix</h2>")[1].split("</table>")[0]
    assert "<th>left</th><td class=n>1</td><td class=n>1</td>" in matrix
    assert "<th>right</th><td class=n>0</td><td class=n>3</td>" in matrix
