"""What datasets keep as JSON: where their clips come from, and how their files were read; and sources in requests."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

Id = int | str
"""An id in a request; texts of digits are read, too."""


class UploadSource(TypedDict, total=False):
    """Files that are uploaded afterwards."""

    type: Literal["upload"]
    review: bool | None
    """Whether the detected layout waits for an acceptance before clips are imported."""


class UrlSource(TypedDict):
    """A file on the web."""

    type: Literal["url"]
    url: str
    review: NotRequired[bool | None]


class CloudSource(TypedDict):
    """A folder of a bucket, with stored credentials, with new ones, or with none."""

    type: Literal["cloud"]
    uri: str
    """Such as s3://bucket/folder, gs://bucket/folder, az://container@account/folder."""
    review: NotRequired[bool | None]
    credential_id: NotRequired[Id | None]
    new_credentials: NotRequired[bool | None]
    """Whether the fields below hold credentials, which are then stored."""
    credential_name: NotRequired[str | None]
    access_key: NotRequired[str | None]
    secret_key: NotRequired[str | None]
    endpoint: NotRequired[str | None]
    region: NotRequired[str | None]
    service_account: NotRequired[str | dict[str, object] | None]
    account: NotRequired[str | None]
    account_key: NotRequired[str | None]
    sas_token: NotRequired[str | None]


class HubSource(TypedDict):
    """A dataset of the Hugging Face Hub."""

    type: Literal["hub"]
    repo: str
    revision: NotRequired[str | None]
    review: NotRequired[bool | None]
    credential_id: NotRequired[Id | None]
    token: NotRequired[str | None]
    """A new token, which is stored."""
    credential_name: NotRequired[str | None]


SourceBody = UploadSource | UrlSource | CloudSource | HubSource
"""A source in a request."""


class StoredSource(TypedDict, total=False):
    """A source as a dataset has it; secrets are stored apart."""

    type: Literal["upload", "url", "cloud", "hub", "demo"]
    review: bool
    url: str
    uri: str
    kind: Literal["dataset"]
    repo: str
    revision: str
    fetched_revision: str
    """The commit that was downloaded."""
    credential_id: int


class LayoutSample(TypedDict, total=False):
    """A clip as the layout describes it."""

    file: str
    label: str
    caption: str
    prompt: str
    split: str
    labels: int
    """How many it has."""
    captions: int
    turns: int
    """Of its conversations."""
    start_s: float | None
    """Where its part of a longer film begins; null for a film of its own."""
    end_s: float | None


class LayoutChoices(TypedDict, total=False):
    """What a correction can choose from."""

    columns: list[str]
    """Of the tables."""
    folders: list[str]
    """Of a clip, the nearest first."""
    frame_rate: float
    """Frames a second of folders of numbered pictures, where there are some."""


class ReadingValues(TypedDict, total=False):
    """The options with which the files were read."""

    layout: str
    columns: dict[str, str]
    level: int
    ignore_splits: bool
    by_hand: bool
    frame_rate: float
    """Of folders of numbered pictures; 0 where it was not chosen."""


class LayoutPreview(TypedDict, total=False):
    """What an acceptance would import."""

    clips: int
    left_out: int
    why: list[str]
    class_count: int
    classes: dict[str, int]
    labels: int
    """More than the clips where some have several."""
    captions: int
    conversations: int
    turns: int
    """Questions with answers."""
    spans: int
    """Clips that are a part of a longer film."""
    films: int
    """Files of which clips are made."""
    splits: dict[str, int]


class LayoutSummary(TypedDict, total=False):
    """How the files of a dataset were read; empty before that."""

    key: str
    title: str
    files: list[str]
    """The first files that describe the clips."""
    columns: dict[str, str]
    """By what they hold: file, label, caption, split."""
    notes: list[str]
    samples: list[LayoutSample]
    choices: LayoutChoices
    reading: ReadingValues
    preview: LayoutPreview
    """While it waits for an acceptance."""
    before: dict[str, object]
    """The layout of the clips that there are, while another one waits for an acceptance."""
    only_rate: bool
    """Whether the last change was that of the rate of films made of folders of pictures, and of nothing else."""
    again: str
    """What became of uploaded clips that the dataset had already."""
