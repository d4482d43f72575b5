"""The database column of a run summary, apart from the document: a trainer writes summaries without SQLAlchemy."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator

from orchestrator.domain.run_summary import RunSummary


class SummaryColumn(TypeDecorator[RunSummary]):
    """Keeps a summary as JSON."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: RunSummary | None, dialect: Dialect) -> Any:
        return value.to_json() if value is not None else {}

    def process_result_value(self, value: Any, dialect: Dialect) -> RunSummary:
        return RunSummary.from_json(value if isinstance(value, Mapping) else {})
