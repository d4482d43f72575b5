"""The database column of annotations, apart from them: a trainer reads annotations without SQLAlchemy."""

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from orchestrator.domain.annotations import Annotations


class AnnotationsColumn(TypeDecorator[Annotations]):
    """Keeps annotations as JSON text, in which every character stands as it is, so that it can be searched."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Annotations | None, dialect: Dialect) -> str:
        return str(value) if value else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> Annotations:
        return Annotations.parse(value)
