"""What documentation and docstrings say of the code is derived from the code and compared: a change of one fails."""

import ast
import inspect
import itertools
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from jobs.families import registry
from orchestrator.domain import families, live_records, redis_keys
from orchestrator.domain.base import SQLModel
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.training_jobs import TRANSITIONS, JobEvent, JobStatus
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS
from orchestrator.services.sandbox import Tool
from orchestrator.services.training.lifecycle import MAX_LOSSES
from orchestrator.settings import ROOT
from tests.source_tree import prose, sources, trees

NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
README, CONTRIBUTING = (ROOT / "README.md").read_text(), (ROOT / "CONTRIBUTING.md").read_text()
_FILE = re.compile(r"(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.(?:py|md|toml|tsx?))\b")
_NAME_IN_MODULE = re.compile(r"`(?:[\w.]+\.)?([a-z_]\w*)\.([A-Za-z_]\w*)(?:\.\w+)?(?:\(\))?`")


@cache
def known_files() -> frozenset[str]:
    """Every ending of the path of every file: `services/queue.py` for `orchestrator/services/queue.py`."""
    tops = ("orchestrator", "jobs", "tests", "docs", "benchmarks", "scripts")
    paths = [path.relative_to(ROOT) for top in tops for path in (ROOT / top).rglob("*.*")]
    loose = [path.relative_to(ROOT) for path in ROOT.glob("*.*")]
    return frozenset("/".join(path.parts[start:]) for path in (*paths, *loose) for start in range(len(path.parts)))


def missing_names(texts: Iterable[str], defined: dict[str, set[str]]) -> list[str]:
    """Names that the prose of a file gives together with their module, and that no module of that name has."""
    named = [match for text in texts for match in _NAME_IN_MODULE.findall(text)]
    return [f"{module}.{name}" for module, name in named if module in defined and name not in defined[module]]


@cache
def defined_names() -> dict[str, set[str]]:
    """Names at the top of the modules of each name; a module that is named like a library's is left out."""
    found: dict[str, set[str]] = {}
    for path, tree in trees().items():
        names = found.setdefault(Path(path).stem, set())
        for node in tree.body:
            names |= {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            names |= {node.name} if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else set()
    packages = {path.parent.name for side in ("orchestrator", "jobs") for path in (ROOT / side).rglob("__init__.py")}
    suffixes = {"py", "md", "json", "jsonl", "tsx", "ts", "yaml", "toml", "xml"}
    return {
        module: names | suffixes for module, names in found.items() if module not in packages | {"__init__", "plan"}
    }


def test_a_file_that_a_docstring_names_exists() -> None:
    named = {(path, name) for path, texts in prose().items() for text in texts for name in _FILE.findall(text)}
    assert len(named) > 80
    assert {found for found in named if found[1] not in known_files()} == set()


def test_a_name_that_a_docstring_gives_with_its_module_is_defined_there() -> None:
    missing = {path: names for path, texts in prose().items() if (names := missing_names(texts, defined_names()))}
    assert missing == {}


def test_a_dotted_name_in_a_docstring_is_a_module_or_a_name_in_one() -> None:
    named = {
        (path, name)
        for path, texts in prose().items()
        for text in texts
        for name in re.findall(r"`((?:orchestrator|jobs)(?:\.\w+)+)`", text)
    }
    assert named
    assert {(path, name) for path, name in named if not is_defined(name)} == set()


def is_defined(name: str) -> bool:
    """Whether a dotted name is that of a package, of a module, or of what a module defines."""
    path, (parent, _, last) = ROOT / name.replace(".", "/"), name.rpartition(".")
    module = (ROOT / parent.replace(".", "/")).with_suffix(".py")
    return path.is_dir() or path.with_suffix(".py").exists() or (module.exists() and last in module.read_text())


def test_a_wrong_name_in_a_docstring_is_found() -> None:
    assert [is_defined(f"orchestrator.domain.{name}") for name in ("tasks.METRICS", "metrics.MEASURES")] == [
        True,
        False,
    ]
    text = "Named as in `orchestrator.domain.tasks.MEASURES` and `redis_keys.job_lease`."
    assert missing_names([text], defined_names()) == ["tasks.MEASURES"]


def test_the_process_that_renews_the_lease_is_the_one_that_is_named() -> None:
    """The trainer knows neither lease nor Redis key: the supervising process does, in a thread."""
    users = {path for path, source in sources("jobs").items() if "job_lease(" in source}
    assert {path.split("/")[1] for path in users} == {"runs", "controller"}
    [sentence] = re.findall(r"\*\*([^*]*renews its lease)\*\*", ARCHITECTURE)
    assert sentence == "The process that supervises a trainer renews its lease"
    assert "job process" in (redis_keys.job_lease.__doc__ or "")


def test_the_process_that_brings_measurements_into_sql_is_the_one_that_is_named() -> None:
    users = {path for path, source in sources("jobs").items() if "services.metrics.ingest import" in source}
    assert {path.split("/")[1] for path in users} == {"runs"}, "not the controller, and not the trainer"
    assert "the job process copies them" in (redis_keys.job_stream.__doc__ or "")
    assert "One RQ queue a worker pool" in (redis_keys.queue_name.__doc__ or "")
    assert "the supervisor brings them into SQL" in " ".join(ARCHITECTURE.split())


def test_the_number_of_losses_that_end_a_job_is_the_documented_one() -> None:
    decision = (ROOT / "docs" / "decisions" / "0004-who-watches-the-trainer.md").read_text()
    assert f"{NUMBERS[MAX_LOSSES].capitalize()} losses without a new checkpoint" in " ".join(ARCHITECTURE.split())
    assert f"lost {NUMBERS[MAX_LOSSES]} times without a new checkpoint" in " ".join(decision.split())


def test_what_both_sides_start_as_child_processes_is_documented() -> None:
    callers = {path.split("/")[0] for path, source in sources().items() if "Tool." in source}
    assert callers == {"orchestrator", "jobs"}
    [paragraph] = [text for text in ARCHITECTURE.split("\n\n") if "orchestrator/services/sandbox.py" in text]
    folders = {"/".join(tool.value.module.split(".")[:2]) for tool in Tool}
    assert {folder for folder in folders if f"`{folder}/`" not in paragraph} == set()


def event_kinds_written() -> set[str]:
    """The kinds of the entries of a job's timeline, as the code passes them."""
    found = {status.value for status in JobStatus}
    for tree in trees().values():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            kind = {"add_event": 2, "note": 1}.get(name)
            given = node.args[kind : kind + 1] if kind is not None else []
            given += [word.value for word in node.keywords if word.arg == "kind" and name in ("requeue", "JobEvent")]
            texts = [text.value for text in given if isinstance(text, ast.Constant)]
            found |= {str(text) for text in texts}
    return found


def test_the_kinds_of_events_are_those_that_are_written() -> None:
    words = re.search(r"kind: str.*?\n\s+\"\"\"(.*?)\"\"\"", inspect.getsource(JobEvent), re.DOTALL)
    assert words
    statuses, _, notes = " ".join(words[1].split()).partition(", or a note: ")
    assert statuses == "A status (queued, starting, running, ...)"
    documented = {note.strip(" .") for note in notes.split(",")}
    # `mark_lost` chooses between the name of its status and "suspended".
    assert documented == event_kinds_written() - {status.value for status in JobStatus} | {"suspended"}


def test_the_arrows_between_statuses_are_legal() -> None:
    text = " ".join((JobStatus.__doc__ or "").split(" a failed or")[0].split())
    chains = [chain.split("->") for chain in text.split(";") if "->" in chain]
    assert len(chains) == 2
    named: set[str] = set()
    for chain in chains:
        steps = [[JobStatus(word.strip()) for word in step.split("|")] for step in chain]
        named |= {status.value for step in steps for status in step}
        for sources_of_step, targets in itertools.pairwise(steps):
            # "completed | failed | stopping -> stopped": the arrow goes out from the last one.
            assert set(targets) & TRANSITIONS[sources_of_step[-1]] == set(targets)
    assert named == {status.value for status in JobStatus}


def test_the_table_of_live_records_has_every_kind() -> None:
    rows = re.findall(r"^\| (\w+) +\| ([^|]+?) *\|", live_records.__doc__ or "", re.MULTILINE)
    documented = {kind: writer for kind, writer in rows if kind != "kind"}
    assert set(documented) == live_records.LIVE_KINDS | {"gap", "history"}
    assert {kind for kind, writer in documented.items() if writer.startswith("trainer")} == live_records.RUN_KINDS


def test_the_log_is_written_by_the_worker_as_the_contract_says() -> None:
    users = {path for path, source in sources("jobs").items() if re.search(r"import .*\bLOG\b|log\.jsonl\"", source)}
    assert users == {"jobs/runs/attempt.py"}
    contract = " ".join((ROOT / "jobs" / "runs" / "spec.py").read_text().split())
    assert "What it prints the worker writes into `log.jsonl`" in contract


TABLE_OF = {
    "job_id": "training_jobs",
    "dataset_id": "datasets",
    "model_id": "video_models",
    "operation_id": "adapter_works",
    "user_id": "users",
}
"""The table of each id that names Redis keys."""


def test_an_id_that_names_redis_keys_is_never_given_again() -> None:
    functions = [value for value in vars(redis_keys).values() if inspect.isfunction(value)]
    named = {name for function in functions for name in inspect.signature(function).parameters if name.endswith("_id")}
    assert named - {"question_id"} == set(TABLE_OF)
    tables = SQLModel.metadata.tables
    assert [name for name in TABLE_OF.values() if not tables[name].dialect_options["sqlite"]["autoincrement"]] == []


def test_a_count_of_layouts_is_the_right_one() -> None:
    """No page has to count them; one that does is wrong as soon as another is added."""
    number = "|".join((*NUMBERS, r"\w+teen", r"twenty[-\w]*", r"thirty[-\w]*", r"\d+"))
    pages = [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "docs" / "reference").glob("*.md")),
    ]
    counts = {
        (page.name, count.lower())
        for page in pages
        for count in re.findall(rf"(?i)\b({number}) layouts\b", page.read_text())
    }
    assert {(page, count) for page, count in counts if count != str(len(LAYOUTS))} == set()


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.key)
def test_the_readme_has_every_family(family: families.FamilySpec) -> None:
    other = {"Dual encoder": "dual encoders", "Encoder-decoder": "It also trains on a laptop"}
    assert other.get(family.title, family.title) in README


def test_the_steps_for_a_new_family_name_every_list_of_families() -> None:
    [steps] = re.findall(r"## A new model family\n(.*)", CONTRIBUTING, re.DOTALL)
    places = [Path(inspect.getfile(module)).relative_to(ROOT).as_posix() for module in (families, registry)]
    assert [place for place in places if f"`{place}`" not in steps] == []
    # A list of most of the families anywhere else would be one more place.
    keys = set(FAMILIES)
    elsewhere = {
        path
        for path, tree in trees().items()
        if path not in places
        and len(keys & {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}) > 8
    }
    assert elsewhere == set()


def test_the_rule_of_nouns_names_real_folders() -> None:
    [rule] = re.findall(r"\*\*The same noun in every layer\.\*\*(.*)", CONTRIBUTING)
    named = re.findall(r"`((?:domain|services|states|pages|tests)/[\w/.]*)`", rule)
    assert len(named) > 4
    assert [name for name in named if not ((ROOT / "orchestrator" / name).exists() or (ROOT / name).exists())] == []
    for layer, noun in (
        ("domain", "training_jobs.py"),
        ("services", "training"),
        ("states", "jobs"),
        ("pages", "jobs"),
    ):
        assert noun.removesuffix(".py") in rule
        assert (ROOT / "orchestrator" / layer / noun).exists()
