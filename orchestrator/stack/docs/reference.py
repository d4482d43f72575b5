"""Reference pages made from the code that they describe: every setting, every field of a recipe."""

from dataclasses import dataclass

from orchestrator.stack.docs.fields import PREFIX, Row, recipe_rows, settings_rows
from orchestrator.stack.docs.tables import table


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that is read outside `Settings`."""

    name: str
    who: str
    description: str


VARIABLES = (
    Variable("CUDA_VISIBLE_DEVICES", "standard", "Which GPUs a worker may see, as for every CUDA program."),
    Variable("NPM_CONFIG_REGISTRY", "standard", "The npm registry from which `./loreel setup` takes packages."),
    Variable("NODE_EXTRA_CA_CERTS", "standard", "A file with your network's certificates, for npm behind a proxy."),
    Variable(
        "LOREEL_TORCH_INDEX",
        "installation",
        "The package index from which `./loreel` takes PyTorch; one with CPU builds saves gigabytes.",
    ),
    Variable(
        "LOREEL_SUPERVISED",
        "internal",
        "Set by the supervisor for the processes it starts, so that they start no Redis of their own.",
    ),
    Variable(
        "LOREEL_PARENT_PID",
        "internal",
        "The process id of the parent, set for child processes: they end when it ends.",
    ),
    Variable(
        "LOREEL_RUN_REDIS_URL",
        "internal",
        "The address of Redis, set for a trainer by its worker: it may hold a password, so no file holds it.",
    ),
    Variable("LOREEL_TEST_CHROMIUM", "tests", "The browser that the browser tests drive."),
    Variable("LOREEL_TEST_SHARED", "tests", "The folder of what one part of a test run makes and others use again."),
)
"""`who`: standard (other tools read it too), installation, internal (never set it by hand), tests."""

_GROUPS = {
    "": "The run",
    "qlora": "Adapters",
    "optim": "Optimization",
    "data": "Frames and split",
    "machine": "Machine",
}


def settings_page() -> str:
    """The page "Settings"."""
    parts = [
        "# Settings",
        "Settings are environment variables with the prefix `LOREEL_`. Set them before `./loreel up`, or in the "
        "`environment` of `compose.yaml`; a worker on another machine needs the same ones. A value that cannot be "
        "read stops the start with a sentence that names it.",
        "```sh\nLOREEL_PORT=8080 LOREEL_DATA_DIR=/srv/loreel ./loreel up\n```",
        "This page is made from `orchestrator/settings.py`.",
        "## All settings",
        *(_setting(row) for row in settings_rows()),
        "## Other variables",
        "Read outside the settings: standard ones of other tools, and a few that Loreel's own processes hand to each "
        "other.",
        table(("variable", "kind", "what it does"), ((f"`{v.name}`", v.who, v.description) for v in VARIABLES)),
        "Trackers that `LOREEL_TRACKERS` names read their own variables (`MLFLOW_TRACKING_URI`, `WANDB_API_KEY`, ...), "
        "from the environment of the worker.",
    ]
    return "\n\n".join(parts) + "\n"


def _setting(row: Row) -> str:
    anchor = row.name.removeprefix(PREFIX).lower()
    facts = f"Default: {row.default}. Value: {row.kind}.\n{{ .facts }}"
    return f"### `{row.name}` {{ #{anchor} }}\n\n{row.description}\n\n{facts}"


def recipe_page() -> str:
    """The page "Recipe fields"."""
    groups: dict[str, list[Row]] = {}
    for row in recipe_rows():
        groups.setdefault(row.name.rpartition(".")[0], []).append(row)
    parts = [
        "# Recipe fields",
        "A recipe is everything a run is asked to do, except which dataset and which base model. The wizard's step "
        "**Parameters** fills it in, REST takes it as the body of `POST /api/v1/jobs`, and a job keeps the one that it "
        "was launched with. Fields that you leave out take their default.",
        '```json\n{"dataset_id": "1", "model_id": "2", "output_name": "my-run",\n'
        ' "qlora": {"r": 16, "alpha": 32}, "optim": {"learning_rate": 0.0002, "epochs": 6}}\n```',
        "This page is made from `orchestrator/domain/recipes.py`. The [glossary](../glossary.md) explains the terms.",
    ]
    for group, members in groups.items():
        parts.append(f"## {_GROUPS.get(group, group)}")
        cells = ((f"`{row.name}`", row.description, row.default, row.kind) for row in members)
        parts.append(table(("field", "meaning", "default", "value"), cells))
    return "\n\n".join(parts) + "\n"
