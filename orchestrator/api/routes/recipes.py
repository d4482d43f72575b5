"""Recipe files by REST: reads a recipe.yaml, and says line by line what cannot be taken."""

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import expensive
from orchestrator.api.documented_route import documented_router
from orchestrator.api.schema.refusals import refusals
from orchestrator.api.serialization import QueryId, RequiredQueryId
from orchestrator.domain.recipe_text import read_recipe_text
from orchestrator.domain.recipes import Recipe
from orchestrator.services.db import session_scope
from orchestrator.services.training.defaults import recipe_defaults

router = documented_router(tags=["jobs"])
_FILE: dict[str, Any] = {"schema": {}}
_BODY = {
    "required": True,
    "content": {"application/yaml": _FILE, "text/plain": _FILE, "application/json": {"schema": {"type": "object"}}},
}


class LineProblem(BaseModel):
    """A line that was not taken, and why."""

    field: str
    message: str
    line: int
    value: str


class RecipeDefault(BaseModel):
    """The default of one field."""

    field: str
    """Its dotted name, such as optim.learning_rate."""
    value: bool | int | float | str | list[str] | dict[str, int] | None
    source: str
    """A sentence that says where the value is from."""


class RecipeDefaults(BaseModel):
    """What a recipe begins with."""

    items: list[RecipeDefault]


class ReadRecipe(BaseModel):
    """A recipe as it was read; together with `dataset_id` and `model_id` it is the body of a job."""

    ok: bool
    """Every line was taken."""
    recipe: Recipe
    """With the recipe's own defaults of what is missing or was not taken."""
    given: dict[str, Any]
    """What the file says, as the body of a job takes it: what it leaves out gets the defaults of base and dataset."""
    problems: list[LineProblem]
    missing: list[str]
    """Parameters that the file does not name."""


async def raw_body(request: Request) -> bytes:
    """The body as it was sent."""
    return await request.body()


@router.get("/recipes/defaults")
def defaults(actor: CurrentUser, model_id: RequiredQueryId, dataset_id: QueryId = None) -> RecipeDefaults:
    """What a recipe begins with for this base and dataset: each field with its default and where it is from."""
    with session_scope() as session:
        found = recipe_defaults(session, actor, dataset_id or 0, model_id)
    items = [RecipeDefault(field=one.field, value=one.value, source=one.source) for one in found]
    return RecipeDefaults(items=items)


@router.post("/recipes/parse", responses=refusals(400, 408, 413), openapi_extra={"requestBody": _BODY})
@expensive
def parse(_actor: CurrentUser, body: Annotated[bytes, Depends(raw_body)]) -> ReadRecipe:
    """Reads a recipe file (YAML or JSON, at most 64 KiB) without launching anything."""
    found = read_recipe_text(body)
    problems: list[Any] = [
        LineProblem(field=problem.field, message=problem.message, line=problem.line, value=problem.value)
        for problem in found.problems
    ]
    given = found.given_parts
    return ReadRecipe(ok=not problems, recipe=found.recipe, given=given, problems=problems, missing=found.missing)
