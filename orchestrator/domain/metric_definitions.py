"""What a metric is: its name, how a value is written, which direction is better; tasks.py lists them by task."""

from dataclasses import dataclass

from orchestrator.domain import formatting
from orchestrator.domain.terms import Term


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of an evaluation."""

    name: str
    label: str
    share: bool = True
    """True: 0 to 1, written as a percentage."""
    more_is_better: bool = True
    of_clips: bool = False
    """True: a share of the clips themselves, so that it reads "94% of 48 clips", not "R@1 on 48 clips"."""
    meaning: str = ""
    """One sentence for people who meet it for the first time; the glossary has it too."""

    @property
    def term(self) -> Term:
        """Its label with its meaning."""
        return Term(self.label, self.meaning)


INTERVAL = "95\u202f% interval"
"""What a bootstrap interval is called; the narrow blank keeps number and sign in one line."""


def figure(metric: Metric, value: float) -> str:
    """A value as people read it: 93.8 %, or 2."""
    return formatting.percent(value, 1) if metric.share else f"{value:g}"


def inside_sentence(label: str) -> str:
    """A label as it is written within a sentence; ROUGE-L and R@1 stay as they are."""
    return label if label[1:2].isupper() or "@" in label else label[0].lower() + label[1:]
