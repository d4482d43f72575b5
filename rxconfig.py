"""Reflex's configuration: one app, Tailwind v4 without Radix Themes, no telemetry, no foreign origins."""

import reflex as rx
from reflex_base.constants import StateManagerMode

from orchestrator.settings import get_settings
from orchestrator.stack.node import prepare_plain_run
from orchestrator.stack.web_plugin import LoreelWebPlugin, own_origins
from orchestrator.ui.packages import FONTS, pinned

prepare_plain_run()
_settings = get_settings()

config = rx.Config(
    app_name="orchestrator",
    app_module_import="orchestrator.orchestrator",
    frontend_port=_settings.port,
    backend_host=_settings.host,
    frontend_packages=pinned(*FONTS),
    # One process holds every tab, and after a restart tabs ask anew: what their state was may not fit the new code.
    state_manager_mode=StateManagerMode.MEMORY,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    cors_allowed_origins=own_origins(_settings.port, _settings.trusted_origins),
    plugins=[
        rx.plugins.TailwindV4Plugin(
            config={
                "content": [
                    "./app/**/*.{js,ts,jsx,tsx}",
                    "./app_components/**/*.{js,ts,jsx,tsx}",
                    "./components/**/*.{js,ts,jsx,tsx}",
                    "./utils/**/*.{js,ts,jsx,tsx}",
                    "./public/external/**/*.{js,ts,jsx,tsx}",
                ],
                "plugins": [],
            }
        ),
        LoreelWebPlugin(),
    ],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
