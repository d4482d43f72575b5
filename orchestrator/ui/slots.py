"""The base of components that take other components as props: a dialog's footer, a menu's trigger.

Reflex looks for state in a component's own props and children, not in components that stand in its props; without
this a state var in a footer would be named in the page and never be read there.
"""

from collections.abc import Iterator

import reflex as rx
from reflex.vars import VarData
from reflex_base.constants.compiler import MemoizationDisposition, MemoizationMode


class Slotted(rx.Component):
    """Counts the vars and hooks of the components in its props as its own."""

    # A slot may hold handlers without any var: they need their hook all the same.
    _memoization_mode = MemoizationMode(disposition=MemoizationDisposition.ALWAYS)

    def _get_vars(self, include_children: bool = False, ignore_ids: set[int] | None = None) -> Iterator[rx.Var]:
        yield from super()._get_vars(include_children, ignore_ids)
        for slot in self._get_components_in_props():
            if isinstance(slot, rx.Component):
                yield from slot._get_vars(include_children=True, ignore_ids=ignore_ids)

    def _get_hooks_internal(self) -> dict[str, VarData | None]:
        hooks = dict(super()._get_hooks_internal())
        for slot in self._get_components_in_props():
            hooks.update(slot._get_all_hooks_internal())
        return hooks

    def _get_added_hooks(self) -> dict[str, VarData | None]:
        hooks = dict(super()._get_added_hooks())
        for slot in self._get_components_in_props():
            hooks.update(slot._get_all_hooks())
        return hooks
