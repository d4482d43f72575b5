"""Rules of request values in the OpenAPI document. The services check them, with sentences for people."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, GetJsonSchemaHandler, StrictBool
from pydantic_core import CoreSchema

from orchestrator.domain.hub_ids import HUB_ID, REVISION
from orchestrator.domain.notifications import KINDS
from orchestrator.domain.recipes import OUTPUT_NAME
from orchestrator.domain.users import SCOPES
from orchestrator.services.auth.accounts import MAX_EMAIL, USERNAME
from orchestrator.services.auth.passwords import MAX_LENGTH, MIN_LENGTH_IF_STRONG
from orchestrator.services.auth.tokens import MAX_DAYS
from orchestrator.services.auth.tokens import MAX_NAME as MAX_TOKEN_NAME
from orchestrator.services.notifications.preferences import MAX_WEBHOOK_URL
from orchestrator.services.paging import MAX_LIMIT
from orchestrator.services.text_fields import MAX_DESCRIPTION, MAX_NAME


@dataclass(frozen=True)
class Rule:
    """Keywords of JSON Schema that a type gets in the document, and that its validation ignores."""

    keywords: Mapping[str, Any] = field(hash=False)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), **self.keywords}


def rule(**keywords: Any) -> Rule:
    """A rule by its keywords."""
    return Rule(keywords)


ID_AS_TEXT = rule(type=["integer", "string"], pattern="^[1-9][0-9]{0,8}$")
"""An id may be sent as answers give it: as a text of digits."""
ID_OR_0_AS_TEXT = rule(type=["integer", "string"], pattern="^(0|[1-9][0-9]{0,8})$")


def one_of(words: Iterable[str], *more: str) -> Rule:
    """A text that is one of these words."""
    return rule(enum=[*more, *map(str, words)])


def some_of(words: Iterable[str]) -> Rule:
    """A text with some of these words, separated by commas; none stands for all."""
    word = f"({'|'.join(re.escape(str(known)) for known in words)})"
    return rule(pattern=f"^({word}(,{word})*)?$")


def sorted_by(names: Iterable[str]) -> Rule:
    """The name of what a list is sorted by, with - in front for the other direction."""
    known = list(names)
    return one_of([*known, *(f"-{name}" for name in known)])


def _anchored(pattern: re.Pattern[str]) -> str:
    return f"^{pattern.pattern}$"


def _no_flag(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


NO_FLAG = BeforeValidator(_no_flag)
"""For numbers in bodies: Pydantic takes true for 1."""
Flag = StrictBool
"""True or false, and nothing that only stands for it, as the document says."""
Limit = Annotated[int, rule(minimum=1, maximum=MAX_LIMIT)]
"""How many items a page has."""
Cursor = Annotated[str, rule(format="cursor", description="`next` of the page before.")]
Name = Annotated[str, rule(minLength=1, maxLength=MAX_NAME, pattern=r"\S")]
"""The name of a record."""
Description = Annotated[str, rule(maxLength=MAX_DESCRIPTION)]
Username = Annotated[str, rule(pattern=_anchored(USERNAME))]
Email = Annotated[str, rule(format="email", maxLength=MAX_EMAIL)]
NewPassword = Annotated[
    str,
    rule(
        format="password",
        minLength=MIN_LENGTH_IF_STRONG,
        maxLength=MAX_LENGTH,
        description="A short or common one is refused: zxcvbn estimates how long it takes to guess.",
    ),
]
TokenName = Annotated[str, rule(minLength=1, maxLength=MAX_TOKEN_NAME, pattern=r"\S")]
Scopes = Annotated[list[Annotated[str, one_of(SCOPES)]], rule(minItems=1)]
TokenDays = Annotated[int, NO_FLAG, rule(minimum=1, maximum=MAX_DAYS)]
OutputName = Annotated[str, rule(pattern=_anchored(OUTPUT_NAME))]
"""The name of an adapter."""
HubRepo = Annotated[str, rule(pattern=_anchored(HUB_ID))]
Revision = Annotated[str, rule(pattern=f"^({REVISION.pattern})?$")]
WebhookUrl = Annotated[str, rule(maxLength=MAX_WEBHOOK_URL, pattern=r"^(https?://[^\s@]+)?$")]
NotificationKinds = list[Annotated[str, one_of(KINDS)]]
IdList = Annotated[str, rule(pattern=r"^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,19}$")]
"""Ids with commas between them."""
