"""Recipe files by REST: reads a recipe.yaml, and says line by line what cannot be taken."""

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.documented_route import documented_router
from orchestrator.api.schema.refusals import refusals
from orchestrator.domain.recipe_text import read_recipe_text
from orchestrator.domain.recipes import Recipe

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


class ReadRecipe(BaseModel):
    """A recipe as it was read; together with `dataset_id` and `model_id` it is the body of a job."""

    ok: bool
    """Every line was taken."""
    recipe: Recipe
    """With the defaults of what is missing or was not taken."""
    problems: list[LineProblem]
    missing: list[str]
    """Parameters that the file does not name."""


async def raw_body(request: Request) -> bytes:
    """The body as it was sent."""
    return await request.body()


@router.post("/recipes/parse", responses=refusals(400, 408, 413), openapi_extra={"requestBody": _BODY})
def parse(_actor: CurrentUser, body: Annotated[bytes, Depends(raw_body)]) -> ReadRecipe:
    """Reads a recipe file (YAML or JSON, at most 64 KiB) without launching anything."""
    found = read_recipe_text(body)
    problems: list[Any] = [
        LineProblem(field=problem.field, message=problem.message, line=problem.line, value=problem.value)
        for problem in found.problems
    ]
    return ReadRecipe(ok=not problems, recipe=found.recipe, problems=problems, missing=found.missing)
