"""Classes whose names differ only in case, blanks or the form of their characters: one class, written in two ways."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.annotation_edits import rename_label
from orchestrator.services.datasets.curation.examined_clips import ExaminedClip
from orchestrator.services.datasets.curation.findings import ACTION_LABELS, Finding
from orchestrator.services.datasets.curation.versions import EditRow

_MAX_SHOWN = 4
_JOINERS = str.maketrans("", "", "\u200b\u200c\u200d\u00ad\ufeff")


def class_variants(usable: Sequence[ExaminedClip]) -> Finding | None:
    """Classes that are probably one: `Run` and `run`, `riding_horse` and `riding horse`, `café` in two forms."""
    renamed = _renamed(usable)
    if not renamed:
        return None
    counts = _label_counts(usable)
    clips = [clip for clip in usable if renamed.keys() & clip.annotated.labels]
    shown = [
        f"“{old}” ({counts[old]:,}) and “{new}” ({counts[new]:,})" for old, new in list(renamed.items())[:_MAX_SHOWN]
    ]
    more = f", and {len(renamed) - _MAX_SHOWN:,} more" if len(renamed) > _MAX_SHOWN else ""
    title = (
        "1 class is written in two ways" if len(renamed) == 1 else f"{len(renamed):,} classes are written in two ways"
    )
    detail = f"They count as different classes: {', '.join(shown)}{more}. Merging takes the more frequent name."
    ids = [clip.id for clip in clips if clip.id is not None]
    return Finding("variants", "warning", title, detail, ids, [("merge", ACTION_LABELS["merge"])])


def merge_variants(session: Session, actor: Actor, dataset_id: int) -> EditRow | None:
    """Gives the clips of each rarer spelling the more frequent one; an edit for each class.

    Returns:
        The last edit; None where no class is written in two ways any more.
    """
    usable = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)
    clips = session.exec(usable.order_by(col(Clip.id))).all()
    edit = None
    for old, new in _renamed(clips).items():
        ids = [clip.id for clip in clips if old in clip.annotated.labels and clip.id is not None]
        edit = rename_label(session, actor, dataset_id, ids, old, new)
    return edit


def _label_counts(clips: Sequence[Clip] | Sequence[ExaminedClip]) -> Counter[str]:
    return Counter(label for clip in clips for label in clip.annotated.labels)


def _renamed(clips: Sequence[Clip] | Sequence[ExaminedClip]) -> dict[str, str]:
    """{rarer spelling: the most frequent one} of the classes."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for label, _ in _label_counts(clips).most_common():
        spellings[_key(label)].append(label)
    return {rarer: labels[0] for labels in spellings.values() for rarer in labels[1:]}


def _key(label: str) -> str:
    plain = unicodedata.normalize("NFKC", label).translate(_JOINERS).casefold()
    return re.sub(r"[\s_-]+", " ", plain).strip() or label
