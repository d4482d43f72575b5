"""The loss of a classifier with one label a clip, where a recipe asks for another than plain cross entropy.

Mixed clips have a share of several classes as their label.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch
from torch.nn import functional

from jobs.families.protocol import Plan
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_optim import ONE_LABEL_ONLY
from orchestrator.domain.tasks import TASKS

ClassLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(B, classes) logits and (B,) class indices, or (B, classes) shares of classes, to a loss."""


def class_loss_of(plan: Plan, labels: Iterable[str]) -> ClassLoss | None:
    """The loss that the recipe asks for; None where the model's own will do.

    Args:
        labels: the class of each training clip; read where they are counted only.

    Raises:
        Invalid: the run has no classes, or several of them a clip.
    """
    optim = plan.recipe.optim
    one_label = not (plan.is_pretraining or plan.is_multi_label) and TASKS[plan.task].has_classes
    if optim.loss_options and not one_label:
        raise Invalid(ONE_LABEL_ONLY, optim.loss_options[0])
    mixes = plan.recipe.augment.mixes and one_label  # with several labels, the model's own loss takes shares, too
    if not (mixes or optim.class_weights or optim.label_smoothing or optim.focal_gamma):
        return None
    weights = None
    if optim.class_weights:
        counts = Counter(labels)
        weights = class_weights([counts[name] for name in plan.class_names])
    return lambda logits, targets: class_loss(logits, targets, weights, optim.label_smoothing, optim.focal_gamma)


def class_weights(counts: Sequence[int]) -> torch.Tensor:
    """(classes,) weights by which every class counts alike, and a batch as much as without them in the mean.

    n / (classes * count), as scikit-learn's "balanced"; a class without clips gets 0.
    """
    present = sum(1 for count in counts if count)
    total = sum(counts)
    return torch.tensor([total / (present * count) if count else 0.0 for count in counts])


def class_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor | None = None,
    smoothing: float = 0.0,
    gamma: float = 0.0,
) -> torch.Tensor:
    """The mean over the clips of weight * (1 - p)^gamma * cross entropy, with p of the right class (Lin et al. 2017).

    The mean is over the number of clips, not over their weights, so that the loss of an accumulated step is that of one
    large batch.

    Args:
        logits: (B, classes).
        targets: (B,) class indices; or (B, classes) shares of mixed clips, whose loss is the mean over their classes.
        weights: (classes,).
        smoothing: share of the target that is spread over all classes.
        gamma: 0 for plain cross entropy.
    """
    logits = logits.float()
    if targets.ndim > 1:
        return _mixed_loss(logits, targets, weights, smoothing, gamma)
    losses = functional.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
    if gamma:
        right = logits.softmax(-1).gather(1, targets[:, None]).squeeze(1)
        losses = losses * (1 - right) ** gamma
    if weights is not None:
        losses = losses * weights.to(losses.device)[targets]
    return losses.mean()


def _mixed_loss(
    logits: torch.Tensor, shares: torch.Tensor, weights: torch.Tensor | None, smoothing: float, gamma: float
) -> torch.Tensor:
    """The sum over the classes of share * what `class_loss` is for the class, in the mean over the clips."""
    surprise = -logits.log_softmax(-1)
    losses = (1 - smoothing) * surprise + smoothing * surprise.mean(-1, keepdim=True)
    if gamma:
        losses = losses * (1 - logits.softmax(-1)) ** gamma
    if weights is not None:
        losses = losses * weights.to(losses.device)
    return (shares * losses).sum(-1).mean()
