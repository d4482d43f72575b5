"""ActivityNet and ActivityNet Captions: JSON objects by film, with segments or time stamps."""

from collections.abc import Mapping
from typing import Any

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.spans import read_span
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read_labels(tree: Tree) -> DetectedLayout | None:
    """Reads objects with `database`: each segment of a film is a span with its label.

    Films are named `v_<id>` or `<id>`. THUMOS, HACS and other sets in ActivityNet's notation are read too.
    """
    collected = EntryCollector(tree, "activitynet", "ActivityNet (JSON)")
    without = 0
    for file in tree.texts(".json"):
        content = tree.json_object(file)
        database = content.get("database") if content else None
        if not isinstance(database, Mapping):
            continue
        collected.add_source(file)
        for film, facts in database.items():
            facts = facts if isinstance(facts, Mapping) else {}
            annotations = facts.get("annotations")
            stated = annotations if isinstance(annotations, list) else []
            segments = [item for item in stated if isinstance(item, Mapping)]
            without += not segments
            for segment in segments:
                collected.add(
                    film,
                    file,
                    labels=segment.get("label"),
                    captions=segment.get("sentence"),
                    span=span_of_pair(segment.get("segment")),
                    split=collected.split_of(facts.get("subset"), file),
                    alternatives=(f"v_{film}",),
                )
    columns = {"file": "database: the keys", "label": "annotations: label", "span": "annotations: segment"}
    return collected.done(columns | {"split": "subset"}, _without_note(without))


def read_captions(tree: Tree) -> DetectedLayout | None:
    """Reads objects that map films to `timestamps` and `sentences`, as many of each."""
    collected = EntryCollector(tree, "activitynet_captions", "ActivityNet Captions (JSON)")
    uneven = 0
    for file in tree.texts(".json"):
        content = tree.json_object(file) or {}
        films = {film: facts for film, facts in content.items() if _has_stamps(facts)}
        if not films:
            continue
        collected.add_source(file)
        for film, facts in films.items():
            stamps, sentences = facts["timestamps"], facts["sentences"]
            if len(stamps) != len(sentences):
                uneven += 1
                continue
            for pair, sentence in zip(stamps, sentences, strict=True):
                collected.add(
                    film,
                    file,
                    captions=sentence,
                    span=span_of_pair(pair),
                    split=split_in(file),
                    alternatives=(f"v_{film}", str(film).removeprefix("v_")),
                )
    films_are = "1 film has" if uneven == 1 else f"{uneven:,} films have"
    notes = [f"{films_are} not as many sentences as time stamps, and cannot be used."] if uneven else []
    return collected.done({"file": "the keys", "caption": "sentences", "span": "timestamps"}, notes)


def span_of_pair(pair: Any) -> Any:
    """The span of [start, end] in seconds; None without one, and no valid span for anything else."""
    if pair is None or pair == []:
        return None
    return read_span(*pair) if _is_list(pair) and len(pair) == 2 else read_span("?", "?")


def _has_stamps(facts: Any) -> bool:
    return isinstance(facts, Mapping) and _is_list(facts.get("timestamps")) and _is_list(facts.get("sentences"))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _without_note(count: int) -> list[str]:
    films = "1 film has" if count == 1 else f"{count:,} films have"
    return [f"{films} no segments in the list, as those of the test set, and cannot be used."] if count else []
