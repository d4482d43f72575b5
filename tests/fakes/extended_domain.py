"""Runs the studio's code over a domain with one task, one recipe field or one kind of annotation more.

Only files of `orchestrator/domain` are changed, in memory of a process of its own: what the pages, states, services and
docs of that process make of the addition is printed as JSON. `python -m tests.fakes.extended_domain task|field|kind`.
"""

import importlib.abc
import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

DOMAIN = Path(__file__).parents[2] / "orchestrator" / "domain"
Edits = list[tuple[str, str]]
"""(a line that stands in the file, what is put before it)."""

TASK_ROW = """    TaskSpec(
        key=Task.LOCALIZATION,
        title="Localization",
        model_type=ModelType.LOCALIZATION,
        annotation=Annotation.CAPTION,
        takes=frozenset({AnnotationKind.CAPTIONS}),
        answer=AnswerKind.TEXT,
        metrics=(Metric("eval_tiou", "tIoU"),),
        dataset_note="Learns when something happens.",
        model_note="Says when something happens.",
        adapter_sentence="says when something happens",
        finetune_note="Adapters learn the times of the dataset.",
        pretrain_note="The whole base learns times.",
        trained_fully="The time head is",
        tiny_base_values={"optim.batch_size": "12"},
    ),
)

TASKS: """
TASK: Edits = [
    ('    RETRIEVAL = "retrieval"\n', '    LOCALIZATION = "localization"\n'),
    ('    RETRIEVAL = "video_retrieval"\n', '    LOCALIZATION = "video_localization"\n'),
    (")\n\nTASKS: ", TASK_ROW.removesuffix(")\n\nTASKS: ")),
]
KIND: Edits = [
    *TASK[:2],
    ('    CAPTION = "caption"\n', '    SEGMENTS = "segments"\n'),
    (
        "    Annotation.LABEL: AnnotationSpec(\n",
        "    Annotation.SEGMENTS: AnnotationSpec(word='segment', multiline=True, write_here='Mark them',"
        " to_write='To be marked', files_hint='', missing='', export_question=''),\n",
    ),
    (")\n\nTASKS: ", TASK[2][1].replace("Annotation.CAPTION", "Annotation.SEGMENTS")),
]
FIELD: Edits = [
    (
        "    weight_decay: Annotated[\n",
        "    averaging: Annotated[float, Field(ge=0.0, le=0.999), FieldSpec(\n"
        '        "Averaging", "Averaging must be a number from 0 to 0.999.", Section.ADVANCED, 435, hint="0: off",\n'
        "        sweepable=True)] = 0.0\n"
        '    """Share of the earlier weights in the average that is kept."""\n',
    )
]


class ExtendedDomain(importlib.abc.MetaPathFinder):
    """Loads one module of the domain from a copy with more lines in it."""

    def __init__(self, module: str, edits: Edits) -> None:
        self.name = f"orchestrator.domain.{module}"
        text = (DOMAIN / f"{module}.py").read_text()
        for line, before in edits:
            assert text.count(line) == 1, line
            text = text.replace(line, before + line)
        self._folder = tempfile.TemporaryDirectory(prefix="lrl-")
        self.path = Path(self._folder.name) / f"{module}.py"
        self.path.write_text(text)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return importlib.util.spec_from_file_location(fullname, self.path) if fullname == self.name else None


def facts_of_task() -> dict[str, Any]:
    """Where the throw-away task appears."""
    from sqlmodel import Session, SQLModel, create_engine

    from orchestrator.domain.datasets import Dataset
    from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
    from orchestrator.domain.recipes import Recipe
    from orchestrator.domain.run_summary import RunSummary
    from orchestrator.domain.tasks import TASKS, ModelType, Task, headline_in
    from orchestrator.domain.users import Actor, Role, User
    from orchestrator.pages.adapters.index import index as adapters_page
    from orchestrator.pages.datasets.index import index as datasets_page
    from orchestrator.pages.datasets.new import new as dataset_form
    from orchestrator.pages.models.index import index as models_page
    from orchestrator.pages.models.new import new as model_form
    from orchestrator.services.datasets.catalog import create_dataset, list_datasets
    from orchestrator.services.datasets.overview import DatasetExtras
    from orchestrator.services.models.catalog import list_models
    from orchestrator.services.models.rows import model_row
    from orchestrator.services.training.preflight import preflight
    from orchestrator.states.datasets.rows import dataset_card
    from orchestrator.states.jobs.compare import title_of
    from orchestrator.states.jobs.metric_cards import curve_lines
    from orchestrator.states.jobs.new_rows import fit_models, model_choice
    from orchestrator.states.jobs.new_values import default_values, head_note, training_note
    from orchestrator.states.models.rows import model_card

    key = "localization"
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    actor = Actor(1, "ada", "ada@example.org", Role.MEMBER)
    with Session(engine) as session:
        mail = actor.email
        session.add(User(username="ada", username_key="ada", email=mail, email_key=mail, password_hash="-"))
        made = create_dataset(session, actor, "clips", task=key)
        kinds = {kind.name: kind for kind in ModelType}
        models = {
            name: VideoModel(
                owner_id=1, name=name, model_type=kind, architecture="", source=ModelSource.PATH,
                status=ModelStatus.READY, parameters=1000,
            )
            for name, kind in kinds.items()
        }  # fmt: skip
        session.add_all(models.values())
        session.flush()
        dataset = session.get_one(Dataset, made.id)
        dataset.status = type(dataset.status)("ready")
        session.flush()
        refused = preflight(session, actor, made.id, models["CLASSIFICATION"].id or 0, Recipe()).problems
        rows = {name: model_row(model, 0, 0, editable=True) for name, model in models.items()}
        choices = fit_models([model_choice(row) for row in rows.values()], key)
        return {
            "stored": [row.task for row in list_datasets(session, actor, task=key).items],
            "rest": [
                _refusal(lambda: create_dataset(session, actor, "x", task="no")),
                _refusal(lambda: list_datasets(session, actor, task="no")),
                _refusal(lambda: list_models(session, actor, model_type="no")),
            ],
            "forms": [str(page().render()) for page in (dataset_form, model_form)],
            "filters": [str(page().render()) for page in (datasets_page, models_page, adapters_page)],
            "card": dataset_card(made, DatasetExtras()).task,
            "model": model_card(rows["LOCALIZATION"]).type,
            "fits": [choice.name for choice in choices if not choice.reason],
            "mismatch": [sentence for _, sentence in refused],
            "learns": [training_note("finetune", key), training_note("pretrain", key), head_note(key, False)],
            "defaults": default_values(1000, key)["optim.batch_size"],
            "metrics": [
                title_of("best_eval_tiou"),
                curve_lines(RunSummary.of_values({}), key)[0].word,
                getattr(headline_in({"eval_tiou": 0.5}), "label", ""),
            ],
            "members": [len(Task), len(TASKS)],
        }


def facts_of_field() -> dict[str, Any]:
    """Where the throw-away field of the recipe appears."""
    from orchestrator.api.routes.jobs import JobBody
    from orchestrator.domain.recipes import Recipe, parse_recipe
    from orchestrator.pages.jobs.new_parameters import parameter_step
    from orchestrator.services.training.sweeps import expand
    from orchestrator.stack.docs.fields import recipe_rows
    from orchestrator.stack.docs.reference import recipe_page
    from orchestrator.states.jobs.compare import title_of
    from orchestrator.states.jobs.new_sweep import CHOICES
    from orchestrator.states.jobs.new_values import FORM_FIELDS, problems_in, read_recipe, values_from_recipe
    from orchestrator.states.jobs.review import recipe_lines

    name, order = "optim.averaging", list(FORM_FIELDS)
    typed = values_from_recipe(Recipe()) | {name: "0,5"}
    lines = recipe_lines(parse_recipe({"optim": {"averaging": 0.5}}))
    body = {"dataset_id": 1, "model_id": 1, "optim": {"averaging": 2}}
    return {
        "neighbours": [order[order.index(name) - 1], order[order.index(name) + 1]],
        "page": str(parameter_step().render()),
        "read": read_recipe(typed, ["qkv"]).model_dump()["optim"]["averaging"],
        "form_error": problems_in(typed | {name: "2"}, ["qkv"]),
        "rest_error": _refusal(lambda: parse_recipe(JobBody.model_validate(body).given())),
        "sweep": dict(CHOICES).get(name, ""),
        "combinations": [recipe.model_dump()["optim"]["averaging"] for recipe in expand({}, {name: ["0.1", "0.2"]})],
        "title": title_of(name),
        "review": [line.value for line in lines if line.label == "Averaging"],
        "docs": [[row.name, row.kind, row.default, row.description] for row in recipe_rows() if row.name == name],
        "docs_page": f"`{name}`" in recipe_page(),
    }  # fmt: skip


def refusals_of_kind() -> dict[str, str]:
    """What each place that branches by annotation does with a kind that it was never taught."""
    from orchestrator.domain.tasks import Annotation, Task
    from orchestrator.pages.datasets import clip_dialog, clips, new_help
    from orchestrator.services.datasets import demo
    from orchestrator.services.datasets.curation import doctor
    from orchestrator.states.datasets import layout_view, rows

    kind = Annotation("segments")
    row: Any = SimpleNamespace(task=Task("localization"), class_names=[], is_demo=False)
    places: dict[str, Callable[[], Any]] = {
        "doctor": lambda: doctor._checks_of(kind, []),
        "demo": lambda: demo._annotated({}, kind),
        "card": lambda: rows._classes(row),
        "layout": lambda: layout_view._annotations_text({}, 1, kind),
        "form": lambda: new_help._examples(kind),
        "dialog": lambda: clip_dialog._annotation_field(kind),
        "grid": lambda: clips._bulk_annotation(kind),
    }
    return {name: _refusal(place) for name, place in places.items()}


def _refusal(act: Callable[[], Any]) -> str:
    try:
        act()
    except Exception as error:  # the test reads which one it was
        return f"{type(error).__name__}: {getattr(error, 'message', error)}"
    return ""


def main(what: str) -> None:
    module, edits, facts = {
        "task": ("tasks", TASK, facts_of_task),
        "field": ("recipe_optim", FIELD, facts_of_field),
        "kind": ("tasks", KIND, refusals_of_kind),
    }[what]
    sys.meta_path.insert(0, ExtendedDomain(module, edits))
    print(json.dumps(facts()))


if __name__ == "__main__":
    main(sys.argv[1])
