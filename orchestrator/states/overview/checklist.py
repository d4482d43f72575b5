"""The checklist of the overview: the first steps of an account, which tick themselves."""

from dataclasses import dataclass

from orchestrator.services.milestones import FirstSteps


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One step."""

    key: str
    title: str
    note: str
    href: str
    done: bool


def checklist(steps: FirstSteps) -> list[ChecklistItem]:
    """The steps in their order; none where the account has put them away."""
    if steps.hidden:
        return []
    return [
        ChecklistItem("demo", "Train the demo", "Shapes and a tiny base, a minute.", "/jobs/new", steps.demo_trained),
        ChecklistItem("clips", "Add your own clips", "Files, folder or archive.", "/datasets/new", steps.clips_added),
        ChecklistItem("train", "Train on your clips", "The defaults fit most.", "/jobs/new", steps.own_training),
        ChecklistItem("try", "Try the playground", "Base and adapter, one clip.", "/playground", steps.playground),
        ChecklistItem("download", "Take an adapter home", "With its program and card.", "/adapters", steps.downloaded),
    ]
