"""The frame of every page behind the login: sidebar, top bar, and the page's own column."""

from typing import Any, Literal

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from orchestrator.ui.kit import Child, Handler, Number, Text, children, classes, present
from orchestrator.ui.layout.keys import keys, show_keys
from orchestrator.ui.layout.logo import logo
from orchestrator.ui.layout.palette import palette
from orchestrator.ui.layout.theme_toggle import theme_toggle
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.primitives.badge import avatar
from orchestrator.ui.primitives.breadcrumb import Crumb
from orchestrator.ui.primitives.breadcrumb import breadcrumb as crumbs_of
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_label, menu_separator
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.tsx import tsx

Section = Literal["overview", "datasets", "models", "jobs", "adapters", "playground", "workers", "settings"]

NAV: tuple[tuple[Section, str, str, str], ...] = (
    ("overview", "Overview", "/overview", "layout-dashboard"),
    ("datasets", "Datasets", "/datasets", "film"),
    ("models", "Models", "/models", "boxes"),
    ("jobs", "Training jobs", "/jobs", "activity"),
    ("adapters", "Adapters", "/adapters", "layers"),
    ("playground", "Playground", "/playground", "play"),
    ("workers", "Workers", "/workers", "server"),
    ("settings", "Settings", "/settings", "settings"),
)


class _ShellPart(rx.Component):
    library = tsx("layout/shell.tsx")
    lib_dependencies: list[str] = pinned("@radix-ui/react-dialog", "lucide-react", *STYLE)


class NavDrawer(_ShellPart):
    """The menu of a phone."""

    tag = "NavDrawer"


class SkipLink(_ShellPart):
    """Moves the focus past the navigation."""

    tag = "SkipLink"


class RunningPill(_ShellPart):
    """How many jobs run, how many wait, and how far the first one is."""

    tag = "RunningPill"

    count: rx.Var[int]
    waiting: rx.Var[int]
    percent: rx.Var[float]
    series: rx.Var[int]
    href: rx.Var[str]


def running_pill(
    count: Number, percent: Number | None = None, series: Number = 1, href: Text = "/jobs", waiting: Number = 0
) -> rx.Component:
    """A ring (turning while `percent` is unknown) and the count; at 0 how many wait, or nothing."""
    return RunningPill.create(count=count, series=series, href=href, waiting=waiting, **present(percent=percent))


def _nav_item(key: Section, word: str, href: str, icon_name: str, active: str, running: Number | None) -> rx.Component:
    here = key == active
    count = None
    if key == "jobs" and running is not None:
        count = rx.cond(running, rx.el.span(running, class_name="ml-auto text-xs tabular text-muted-foreground"), None)
    look = "relative flex h-9 items-center gap-3 rounded-lg px-3 text-sm no-underline transition-colors touch:h-11"
    tone = (
        "bg-muted font-medium text-foreground before:absolute before:-left-px before:inset-y-2 before:w-0.5 before:rounded-full before:bg-primary"
        if here
        else "text-muted-foreground hover:bg-muted/60 hover:text-foreground"
    )
    current: dict[str, Any] = {"aria_current": "page"} if here else {}
    return rx.el.li(
        ReactRouterLink.create(icon(icon_name), word, count, to=href, class_name=classes(look, tone), **current)
        if count is not None
        else ReactRouterLink.create(icon(icon_name), word, to=href, class_name=classes(look, tone), **current)
    )


def _nav(active: str, running: Number | None, foot: Child) -> rx.Component:
    return rx.fragment(
        ReactRouterLink.create(
            logo(),
            to="/overview",
            aria_label="Loreel, overview",
            class_name="mx-3 flex h-14 items-center px-2 no-underline",
        ),
        rx.el.nav(
            rx.el.ul(
                *[_nav_item(*entry, active=active, running=running) for entry in NAV],
                class_name="flex flex-col gap-0.5 px-3 pt-1",
            ),
            aria_label="Main",
            class_name="min-h-0 flex-1 overflow-y-auto",
        ),
        rx.el.div(foot, class_name="p-3") if foot is not None else rx.fragment(),
    )


def account_menu(user_name: Text, on_logout: Handler) -> rx.Component:
    """The person's initials; settings, documentation and log out below them."""
    return dropdown_menu(
        menu_label(rx.fragment("Signed in as ", user_name)),
        menu_item("Settings", icon="settings", href="/settings"),
        menu_item("Documentation", icon="book-open", href="/docs/"),
        menu_item("Keyboard shortcuts", icon="keyboard", on_click=show_keys()),
        menu_item("What is new", icon="sparkles", href="/docs/changelog/"),
        menu_item("Licence", icon="scale", href="/docs/licence/"),
        menu_separator(),
        menu_item("Log out", icon="log-out", on_click=on_logout),
        label="Account",
        trigger=avatar(user_name),
        variant="ghost",
        class_name="rounded-full",
    )


def shell(
    *content: Child,
    title: str,
    active: Section | Literal[""],
    user_name: Text,
    on_logout: Handler,
    breadcrumb: list[Crumb] | None = None,
    running: Number | None = None,
    running_percent: Number | None = None,
    running_series: Number = 1,
    waiting: Number = 0,
    tools: Child = None,
    foot: Child = None,
    bell: Child = None,
    wide: bool = False,
) -> rx.Component:
    """The page in its frame. `breadcrumb`: `(label, href)` pairs before `title`; `tools`: before the pill; `foot`: machine status.

    The page's own h1 comes from `page_header`; the shell has none.
    """
    pill = running_pill(running, running_percent, running_series, waiting=waiting) if running is not None else None
    top = rx.el.header(
        NavDrawer.create(_nav(active, running, foot)),
        crumbs_of([*(breadcrumb or []), (title, None)]),
        rx.el.div(
            *children(tools, palette(), pill, bell, theme_toggle(), account_menu(user_name, on_logout)),
            class_name="ml-auto flex shrink-0 items-center gap-2 touch:gap-0",
        ),
        class_name="sticky top-0 z-30 flex h-14 items-center gap-3 border-b border-border bg-background/95 px-6 backdrop-blur touch:px-4",
    )
    column = "mx-auto w-full px-6 py-6 touch:px-4"
    return rx.el.div(
        SkipLink.create(),
        rx.el.aside(
            rx.el.div(_nav(active, running, foot), class_name="sticky top-0 flex h-dvh flex-col"),
            aria_label="Sidebar",
            class_name="hidden w-54 shrink-0 border-r border-border md:block",
        ),
        rx.el.div(
            top,
            rx.el.main(
                *children(*content),
                id="content",
                tab_index=-1,
                class_name=classes(column, "outline-none flex flex-col gap-4", "" if wide else "max-w-[82rem]"),
            ),
            class_name="flex min-w-0 flex-1 flex-col",
        ),
        keys(),
        class_name="flex min-h-dvh w-full bg-background",
    )


def page_header(
    title: Child,
    note: Child = None,
    actions: list[Any] | Child = None,
    badges: Child = None,
    swatch: Child = None,
) -> rx.Component:
    """The page's h1 with `badges` (chip, tag, id), a `note` under it, and `actions` on the right."""
    buttons = actions if isinstance(actions, list) else children(actions)
    return rx.el.div(
        rx.el.div(
            rx.el.div(
                *children(swatch),
                rx.el.h1(
                    title, class_name="min-w-0 text-2xl font-semibold tracking-[-0.025em] break-words touch:text-xl"
                ),
                *children(badges),
                class_name="flex flex-wrap items-center gap-x-2.5 gap-y-1",
            ),
            rx.el.div(note, class_name="mt-1 text-sm text-muted-foreground") if note is not None else rx.fragment(),
            class_name="min-w-0 flex-1 basis-64",
        ),
        rx.el.div(*buttons, class_name="flex max-w-full shrink-0 flex-wrap items-center gap-2")
        if buttons
        else rx.fragment(),
        class_name="mb-2 flex flex-wrap items-start justify-between gap-4",
    )
