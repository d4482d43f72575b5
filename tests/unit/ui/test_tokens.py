"""The colours of both themes are readable: WCAG contrast worked out from the OKLCH tokens themselves."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[3] / "assets" / "styles" / "loreel.css").read_text()
Rgb = tuple[float, float, float]


def _block(selector: str) -> dict[str, str]:
    body = CSS.split(selector, 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", body))


THEMES = {"dark": _block(":root,\n.dark {"), "light": _block("\n.light {")}


def _linear(value: str) -> Rgb:
    """Linear sRGB of `oklch(L C h)` (Ottosson 2020) or of a hex colour."""
    if value.startswith("#"):
        parts = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return red, green, blue
    from math import cos, radians, sin

    light, chroma, hue = (float(n) for n in re.findall(r"[\d.]+", value)[:3])
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    mid = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    rgb = (
        4.0767416621 * long - 3.3077115913 * mid + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * mid - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * mid + 1.7076147010 * short,
    )
    red, green, blue = (min(1.0, max(0.0, part)) for part in rgb)
    return red, green, blue


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio, 1 to 21."""
    lums = [sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), _linear(x), strict=True)) for x in (first, second)]
    return (max(lums) + 0.05) / (min(lums) + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["background", "card", "popover"])
@pytest.mark.parametrize(
    "ink", ["foreground", "muted-foreground", "primary", "success", "warning", "destructive", "info"]
)
def test_text_reads_on_every_ground(theme: str, ground: str, ink: str) -> None:
    assert contrast(THEMES[theme][ink], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_filled_buttons_and_control_outlines(theme: str) -> None:
    colours = THEMES[theme]
    assert contrast(colours["primary-foreground"], colours["primary"]) >= 4.5
    assert contrast("#ffffff", colours["destructive-fill"]) >= 4.5
    assert contrast(colours["input"], colours["card"]) >= 3.0


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("number", range(1, 8))
def test_series_are_seen_on_a_card(theme: str, number: int) -> None:
    least = {"dark": 4.3, "light": 3.0}[theme]
    assert contrast(THEMES[theme][f"series-{number}"], THEMES[theme]["card"]) >= least


def test_both_themes_name_the_same_tokens() -> None:
    assert set(THEMES["dark"]) == set(THEMES["light"])


def test_every_colour_has_its_name_in_tailwind() -> None:
    named = set(re.findall(r"--color-[\w-]+: var\(--([\w-]+)\)", CSS))
    assert {name for name in THEMES["dark"] if not name.startswith("shadow")} <= named | {"ring"}


def test_no_outside_host() -> None:
    assert "http://" not in CSS
    assert "https://" not in CSS
