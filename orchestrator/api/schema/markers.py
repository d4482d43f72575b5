"""What a return annotation adds where the type alone does not say what a route sends."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel


@dataclass(frozen=True)
class Media:
    """In `-> Annotated[Response, Media(...)]`: what a route sends that is not JSON.

    Attributes:
        types: its media types; none where the body is empty.
        file: whether it is a file, of which ranges can be asked for.
        headers: descriptions of headers by their names.
    """

    types: tuple[str, ...] = ()
    file: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """In `-> Annotated[dict[str, Any], Shape(Model)]`: what is in a dictionary that comes from elsewhere."""

    model: type[BaseModel]
