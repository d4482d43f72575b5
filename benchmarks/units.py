"""Units of figures, and how a value and a target are written for people."""

from benchmarks.target import Target

_SUFFIXES = (
    ("mb_per_s", "MB/s"),
    ("clips_per_s", "clips/s"),
    ("_percent", "%"),
    ("_times", "x"),
    ("_ms", "ms"),
    ("_s", "s"),
    ("_mb", "MB"),
    ("_gb", "GB"),
    ("_kb", "KB"),
)
_FRACTIONS = (
    "accuracy", "exact", "rouge_l", "bleu", "r1", "r5", "r1_alike", "web_cpu_share", "tokens_equal", "answers_equal",
)  # fmt: skip


def unit_of(figure: str) -> str:
    """The unit that a figure's name ends with: "s" of `wall_s`, "x" of a ratio, "fraction", or "" for a count."""
    if any(figure == name or figure.endswith(f"_{name}") for name in _FRACTIONS):
        return "fraction"
    if "against_" in figure:
        return "x"
    return next((unit for suffix, unit in _SUFFIXES if figure.endswith(suffix)), "")


def format_value(value: float, unit: str) -> str:
    """A measured value with its unit, in about three digits: "12.2 s", "3.40x", "94.6 %"."""
    value, symbol = _shown(value, unit)
    if symbol == "x":
        close_to_one = abs(value - 1) < 0.05
        return f"{value:.3f}x".replace("0x", "x") if close_to_one else f"{value:.2f}x"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    return _with_symbol(text.rstrip("0").rstrip(".") if "." in text else text, symbol)


def format_target(target: Target | None, unit: str) -> str:
    """At most or at least so much; a dash where nothing is asked."""
    if not target:
        return "-"
    return ", ".join(
        _with_symbol(f"{sign} {bound:g}" if bound or sign == "≥" else "0", symbol)
        for sign, (bound, symbol) in (
            (sign, _shown(target[key], unit)) for key, sign in (("min", "≥"), ("max", "≤")) if key in target
        )
    )


def _shown(value: float, unit: str) -> tuple[float, str]:
    """Fractions are written in per cent."""
    return (value * 100, "%") if unit == "fraction" else (value, unit)


def _with_symbol(text: str, symbol: str) -> str:
    return f"{text}{symbol}" if symbol in ("", "x") else f"{text} {symbol}"
