"""The npm packages of the kit, each pinned exactly; a component names those that its TSX imports."""

_PINS = {
    "lucide-react": "1.26.0",
    "clsx": "2.1.1",
    "class-variance-authority": "0.7.1",
    "tailwind-merge": "3.7.0",
    "@radix-ui/react-alert-dialog": "1.2.1",
    "@radix-ui/react-checkbox": "1.4.1",
    "@radix-ui/react-dialog": "1.3.1",
    "@radix-ui/react-dropdown-menu": "2.2.1",
    "@radix-ui/react-radio-group": "1.5.1",
    "@radix-ui/react-select": "2.4.1",
    "@radix-ui/react-switch": "1.4.1",
    "@radix-ui/react-tooltip": "1.4.1",
    "cmdk": "1.1.1",
    "sonner": "2.0.8",
    "uplot": "1.6.32",
    "plotly.js-basic-dist-min": "4.1.1",
    "tus-js-client": "4.3.1",
    "motion": "14.14.0",
    "@fontsource-variable/inter": "5.3.0",
    "@fontsource-variable/jetbrains-mono": "5.3.0",
}

FONTS = ("@fontsource-variable/inter", "@fontsource-variable/jetbrains-mono")
STYLE = ("clsx", "class-variance-authority", "tailwind-merge")


def pinned(*names: str) -> list[str]:
    """The packages as `name@version`, the way a component's `lib_dependencies` wants them."""
    return [f"{name}@{_PINS[name]}" for name in names]
