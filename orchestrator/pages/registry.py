"""The list of every page: its route, where it is made, and what runs when it opens."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class PageEntry:
    """One page. `module` holds the function `function`; `on_load` are `module:State.handler` references.

    Each page stands in a module of its own, because a module becomes one JS chunk.
    """

    route: str
    module: str
    function: str
    title: str
    """Words, or `module:State.var` where the title says a state that changes."""
    description: str = "Fine-tune video models on your own machine."
    on_load: tuple[str, ...] = field(default=())
    dev: bool = False
    """True: the page exists only under `./loreel dev`."""


SESSION_LOAD = "orchestrator.states.shell.session:SessionState.load"
"""The first `on_load` of each page that needs a session."""

PAGES: list[PageEntry] = [
    PageEntry(
        "/",
        "orchestrator.pages.landing.index",
        "index",
        "Loreel: teach a video model your footage",
        on_load=("orchestrator.states.shell.session:SessionState.load_public",),
    ),
    PageEntry(
        "/login",
        "orchestrator.pages.auth.login",
        "login",
        "Log in - Loreel",
        on_load=("orchestrator.states.auth.login:LoginState.open",),
    ),
    PageEntry(
        "/signup",
        "orchestrator.pages.auth.signup",
        "signup",
        "Sign up - Loreel",
        on_load=("orchestrator.states.auth.signup:SignupState.open",),
    ),
    PageEntry(
        "/reset",
        "orchestrator.pages.auth.reset",
        "reset",
        "New password - Loreel",
        on_load=("orchestrator.states.auth.reset:ResetState.open",),
    ),
    PageEntry(
        "/overview",
        "orchestrator.pages.overview.index",
        "index",
        "Overview - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.overview.index:OverviewState.watch"),
    ),
    PageEntry(
        "/datasets",
        "orchestrator.pages.datasets.index",
        "index",
        "Datasets - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.datasets.index:DatasetsState.load"),
    ),
    PageEntry(
        "/datasets/new",
        "orchestrator.pages.datasets.new",
        "new",
        "Add dataset - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.datasets.new:DatasetAddState.load"),
    ),
    PageEntry(
        "/datasets/[dataset_id]",
        "orchestrator.pages.datasets.detail",
        "detail",
        "orchestrator.states.datasets.detail:DatasetDetailState.page_title",
        on_load=(SESSION_LOAD, "orchestrator.states.datasets.detail:DatasetDetailState.load"),
    ),
    PageEntry(
        "/models",
        "orchestrator.pages.models.index",
        "index",
        "Models - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.models.index:ModelsState.load"),
    ),
    PageEntry(
        "/models/new",
        "orchestrator.pages.models.new",
        "new",
        "Add model - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.models.new:ModelAddState.load"),
    ),
    PageEntry(
        "/models/[model_id]",
        "orchestrator.pages.models.detail",
        "detail",
        "orchestrator.states.models.detail:ModelDetailState.page_title",
        on_load=(SESSION_LOAD, "orchestrator.states.models.detail:ModelDetailState.load"),
    ),
    PageEntry(
        "/adapters",
        "orchestrator.pages.adapters.index",
        "index",
        "Adapters - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.adapters.index:AdaptersState.load"),
    ),
    PageEntry(
        "/adapters/[adapter_id]",
        "orchestrator.pages.adapters.detail",
        "detail",
        "orchestrator.states.adapters.detail:AdapterDetailState.page_title",
        on_load=(
            SESSION_LOAD,
            "orchestrator.states.adapters.detail:AdapterDetailState.load",
            "orchestrator.states.adapters.operations:AdapterOperationsState.load",
        ),
    ),
    PageEntry(
        "/settings",
        "orchestrator.pages.settings.index",
        "index",
        "Settings - Loreel",
        on_load=(
            SESSION_LOAD,
            "orchestrator.states.settings.index:SettingsState.load",
            "orchestrator.states.settings.notifications:NotificationPreferencesState.load",
        ),
    ),
    PageEntry(
        "/jobs",
        "orchestrator.pages.jobs.list",
        "jobs_list",
        "Training jobs - Loreel",
        on_load=(
            SESSION_LOAD,
            "orchestrator.states.jobs.list:JobsState.load",
            "orchestrator.states.jobs.drafts:DraftsState.load",
        ),
    ),
    PageEntry(
        "/jobs/new",
        "orchestrator.pages.jobs.new",
        "new",
        "New training job - Loreel",
        on_load=(
            SESSION_LOAD,
            "orchestrator.states.jobs.new:JobFormState.load",
            "orchestrator.states.jobs.drafts:DraftsState.load",
        ),
    ),
    PageEntry(
        "/jobs/compare",
        "orchestrator.pages.jobs.compare",
        "compare",
        "orchestrator.states.jobs.compare:JobCompareState.page_title",
        on_load=(SESSION_LOAD, "orchestrator.states.jobs.compare:JobCompareState.load"),
    ),
    PageEntry(
        "/playground",
        "orchestrator.pages.playground.index",
        "index",
        "Playground - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.playground.index:PlaygroundState.load"),
    ),
    PageEntry(
        "/workers",
        "orchestrator.pages.workers.index",
        "index",
        "Workers - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.workers.index:WorkersState.watch"),
    ),
    PageEntry(
        "/people",
        "orchestrator.pages.people.index",
        "index",
        "People - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.people.index:PeopleState.load"),
    ),
    PageEntry(
        "/audit",
        "orchestrator.pages.audit.index",
        "index",
        "Audit log - Loreel",
        on_load=(SESSION_LOAD, "orchestrator.states.audit.index:AuditState.load"),
    ),
    PageEntry(
        "/jobs/[job_id]",
        "orchestrator.pages.jobs.detail",
        "detail",
        "orchestrator.states.jobs.detail:JobDetailState.page_title",
        on_load=(SESSION_LOAD, "orchestrator.states.jobs.detail:JobDetailState.load"),
    ),
    PageEntry("404", "orchestrator.pages.errors.missing", "missing", "Page not found - Loreel"),
    PageEntry("/kit", "orchestrator.pages.kit.index", "index", "Kit", dev=True),
]


def load(reference: str) -> Any:
    """The object behind `package.module:Name.attribute`."""
    module, _, path = reference.partition(":")
    target: Any = import_module(module)
    for name in path.split("."):
        target = getattr(target, name)
    return target
