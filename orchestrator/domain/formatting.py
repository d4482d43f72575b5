"""Writes numbers, sizes and times for people: the same way on pages, in notices, in errors and in logs."""

from collections.abc import Sequence
from datetime import UTC, datetime

NARROW = "\u202f"
"""Narrow no-break space, before %."""
NBSP = "\u00a0"
"""No-break space, between a number and its unit."""


def count(value: float) -> str:
    """1234567 -> "1,234,567"."""
    return f"{value:,.0f}"


def plural(value: int, one: str, many: str = "") -> str:
    """(1, "clip") -> "1 clip"; (3, "clip") -> "3 clips"."""
    return f"{value:,}{NBSP}{one if value == 1 else (many or one + 's')}"


def ordinal(value: int) -> str:
    """1 -> "1st", 2 -> "2nd", 11 -> "11th"."""
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value:,}{ending}"


def short_count(value: float) -> str:
    """Parameters: 950 -> "950", 12_345 -> "12.3 K", 2_360_000 -> "2.36 M"."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= limit:
            return f"{_three_digits(value / limit)}{NBSP}{unit}"
    return f"{value:.0f}"


def size(value: float) -> str:
    """Bytes in decimal units: 60_123_456 -> "60.1 MB"."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if value >= limit:
            return f"{_three_digits(value / limit)}{NBSP}{unit}"
    return f"{value:.0f}{NBSP}B"


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def duration(seconds: float | None) -> str:
    """42 -> "42 s", 95 -> "1 min 35 s", 3180 -> "53 min", 7800 -> "2 h 10 min"; None -> ""."""
    if seconds is None:
        return ""
    rounded = max(0, round(seconds))
    if rounded < 60:
        return f"{rounded}{NBSP}s"
    if rounded < 600:
        rest = f" {rounded % 60}{NBSP}s" if rounded % 60 else ""
        return f"{rounded // 60}{NBSP}min{rest}"
    minutes = round(rounded / 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min"
    if minutes < 48 * 60:
        rest = f" {minutes % 60}{NBSP}min" if minutes % 60 else ""
        return f"{minutes // 60}{NBSP}h{rest}"
    hours = round(minutes / 60)
    rest = f" {hours % 24}{NBSP}h" if hours % 24 else ""
    return f"{hours // 24}{NBSP}d{rest}"


def percent(share: float, digits: int = 0) -> str:
    """0.624 -> "62 %". Never rounds up to 100 % below 1."""
    value = share * 100
    if share < 1 and round(value, digits) >= 100:
        value = 100 - 10**-digits
    return f"{value:.{digits}f}{NARROW}%"


def loss(value: float | None) -> str:
    """At most three decimals; tiny and huge values in powers of ten; a real minus sign."""
    if value is None:
        return ""
    if value != value or value in (float("inf"), float("-inf")):
        return "not a number"
    if value and (abs(value) < 0.001 or abs(value) >= 10_000):
        return rate(value)
    return f"{value:.3f}".replace("-", "\u2212")


def rate(value: float | None) -> str:
    """A learning rate: 0.00021 -> "2.1e-4", 0.001 -> "1e-3"."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def ago(then: datetime | None, now: datetime | None = None) -> str:
    """Like "2 s ago", "5 min ago", "3 h ago", then the date."""
    if then is None:
        return ""
    seconds = max(0.0, ((now or datetime.now(UTC)) - then).total_seconds())
    for limit, unit, width in ((60, "s", 1), (3600, "min", 60), (86400, "h", 3600), (7 * 86400, "d", 86400)):
        if seconds < limit:
            return f"{int(seconds // width)}{NBSP}{unit} ago"
    return then.strftime("%-d %b %Y")


def iso(value: datetime | None) -> str:
    """ISO 8601, as browsers parse it: "2026-11-23T09:05:00+00:00"; None -> ""."""
    return value.astimezone(UTC).isoformat(timespec="seconds") if value else ""


def named(names: Sequence[str], count: int, shown: int = 3) -> str:
    """Some names and how many more there are: "walks, runs and 4 others"."""
    parts, more = list(names[:shown]), count - min(shown, len(names))
    if more > 0:
        parts.append("1 other" if more == 1 else f"{more:,} others")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def partial_fetch_note(received: int, action: str) -> str:
    """What an interrupted fetch says about the bytes that are stored already; "" below one kilobyte.

    Args:
        action: what a person does to continue: "fetching it again", "trying again".
    """
    return f" {size(received)} are stored; {action} within two days continues from there." if received >= 1000 else ""
