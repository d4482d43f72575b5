"""A rule, a limit, a number's format and a part of a page are written once, and imported where they are needed."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

from orchestrator.domain.hub_ids import HUB_ID
from orchestrator.domain.machines import PREP
from orchestrator.domain.recipe_optim import Optimizer
from orchestrator.services.training.recipe_limits import MEMORY_SHARE
from tests.source_tree import trees

UNITS = re.compile(r"^[\s\u00a0\u202f]?(?:%|[KMGT]i?B\b)")


def modules_with(value: object) -> list[str]:
    """The modules in which a constant of this value stands, once for each time."""
    return [
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is type(value) and node.value == value
    ]


def test_the_share_of_the_memory_that_a_run_may_use() -> None:
    assert modules_with(MEMORY_SHARE) == ["orchestrator/services/training/recipe_limits.py"]


def test_the_pool_of_the_preparation_worker() -> None:
    assert modules_with(PREP) == ["orchestrator/domain/machines.py"]


def test_which_runs_keep_8_bit_moments() -> None:
    """`Recipe.uses_8bit_optimizer` says it; nothing else compares the optimizer."""
    users = {
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in Optimizer.__members__
        if ast.unparse(node.value) == "Optimizer"
    }
    assert users <= {"orchestrator/domain/recipe_optim.py", "orchestrator/domain/recipes.py"}


def test_what_an_id_on_the_hub_looks_like() -> None:
    patterns = {
        (path, call.args[0].value)
        for path, tree in trees().items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "re.compile" and call.args
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }
    alike = {
        (path, pattern)
        for path, pattern in patterns
        if re.fullmatch(pattern, "owner/a-model.v2")
        and not any(re.fullmatch(pattern, other) for other in ("owner", "a/b/c", "owner/two words"))
    }
    assert alike == {("orchestrator/domain/hub_ids.py", HUB_ID.pattern)}


def formats_by_hand(tree: ast.Module) -> Iterator[int]:
    """Lines with an f-string that writes a share as percent, or divides a number into a unit of bytes."""
    for text in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)):
        for part, following in zip(text.values, [*text.values[1:], None], strict=True):
            if not isinstance(part, ast.FormattedValue):
                continue
            after = following.value if isinstance(following, ast.Constant) and isinstance(following.value, str) else ""
            spec = ast.unparse(part.format_spec) if part.format_spec else ""
            computed = isinstance(part.value, ast.BinOp) and isinstance(part.value.op, ast.Div | ast.Mult)
            if spec.rstrip("'\"").endswith("%") or (computed and UNITS.match(after)):
                yield part.lineno


def test_a_format_by_hand_is_found() -> None:
    code = (
        'f"{free / 1e9:.1f} GB"',
        'f"{share:.0%} done"',
        'f"{100 * share:.0f} %"',
        'f"{shape.memory_gb} GB, {need / 2} times"',
    )
    assert [bool(list(formats_by_hand(ast.parse(text)))) for text in code] == [True, True, True, False]


def test_numbers_are_written_by_one_function_each() -> None:
    """`domain/formatting.py` writes percent and bytes; a page's CSS has percent of its own."""
    by_hand = {
        f"{path}:{line}"
        for path, tree in trees().items()
        if path != "orchestrator/domain/formatting.py" and not path.startswith("orchestrator/pages/")
        for line in formats_by_hand(tree)
    }
    assert by_hand == set()


def test_only_these_modules_start_child_processes() -> None:
    """Programs that open untrusted files are started by the sandbox, the others by what supervises them."""
    starters = {
        path
        for path, tree in trees().items()
        if path.startswith(("orchestrator/services/", "jobs/"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.fullmatch(r"subprocess\.\w+|os\.(system|spawn\w+|popen)", ast.unparse(node.func))
    }
    assert starters == {
        "jobs/playground/process_supervisor.py",
        "jobs/runs/trainer_process.py",
        "jobs/worker/prep_worker.py",
        "orchestrator/services/sandbox.py",
    }


def test_a_page_imports_shared_parts_and_those_of_its_own_folder() -> None:
    foreign = {
        f"{path}: {node.module}"
        for path, tree in trees().items()
        if path.startswith("orchestrator/pages/") and path.count("/") > 2
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("orchestrator.pages.")
        if (node.module or "").split(".")[2] not in ("shared", path.split("/")[2])
    }
    assert foreign == set()


def test_a_part_of_pages_has_a_name_of_its_own() -> None:
    """Each folder has its `index`, `detail` and `new`; any other public function is defined once."""
    names = Counter(
        node.name
        for path, tree in trees().items()
        if path.startswith(("orchestrator/pages/", "orchestrator/ui/"))
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == {"index", "detail", "new"}
