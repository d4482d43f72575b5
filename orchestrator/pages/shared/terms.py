"""The "?" next to words of the field; the sentences are those of `domain/terms.py` and of the metrics."""

import reflex as rx

from orchestrator.domain.tasks import METRICS
from orchestrator.domain.terms import GRADIENT_NORM, LEARNING_RATE, LOSS, SPEED, VALIDATION_LOSS, Term
from orchestrator.ui.primitives.explain import explain

_CURVES = {
    "loss": LOSS,
    "eval_loss": VALIDATION_LOSS,
    "learning_rate": LEARNING_RATE,
    "grad_norm": GRADIENT_NORM,
    "samples_per_s": SPEED,
} | {name: metric.term for name, metric in METRICS.items()}
_ROWS: rx.Var[dict[str, dict[str, str]]] = rx.Var.create(
    {name: {"term": term.name, "text": term.meaning, "href": term.href} for name, term in _CURVES.items()}
)


def explain_term(term: Term) -> rx.Component:
    """Explains one word."""
    return explain(term.name, term.meaning, term.href)


def explain_curve(name: rx.Var[str]) -> rx.Component:
    """Explains a curve or a metric by its name, such as "eval_accuracy"; nothing for another name."""
    row = _ROWS.to(dict[str, dict[str, str]])[name]
    return rx.cond(_ROWS.contains(name), explain(row["term"], row["text"], row["href"]), rx.fragment())
