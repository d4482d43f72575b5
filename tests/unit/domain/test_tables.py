"""Every module with a table is in the one list of them."""

import importlib
import pkgutil

from sqlmodel import SQLModel

import orchestrator.domain
from orchestrator.domain import tables


def test_no_module_with_a_table_is_missing() -> None:
    modules = [
        importlib.import_module(f"orchestrator.domain.{it.name}")
        for it in pkgutil.iter_modules(orchestrator.domain.__path__)
    ]
    defining = {
        value.__module__.rpartition(".")[2]
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SQLModel) and hasattr(value, "__table__")
    }
    assert set(tables.__all__) == defining
