"""The fields of each source that is fetched: a web address, a bucket with its credentials, or the Hub."""

import reflex as rx

from orchestrator.pages.shared.add_form import hub_id, revision
from orchestrator.pages.shared.forms import problem_of
from orchestrator.pages.shared.hub_size import hub_size
from orchestrator.states.datasets.new import DatasetAddState
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import password_input, textarea
from orchestrator.ui.primitives.select import select

State = DatasetAddState
SOURCES = [
    ("upload", "Upload file(s)"),
    ("url", "URL"),
    ("cloud", "Cloud storage link"),
    ("hub", "Hugging Face dataset"),
]


def web_fields() -> rx.Component:
    """A public web address."""
    return field(
        "Address",
        text_input(
            name="url",
            value=State.url,
            on_change=State.type_url,
            placeholder="https://example.org/gestures.zip",
            input_mode="url",
            auto_complete="off",
        ),
        hint="A video, or a zip, tar or tar.gz of them. This server downloads it; private networks are not allowed.",
        error=problem_of(State, "url"),
        required=True,
    )


def cloud_fields() -> rx.Component:
    """A bucket or a folder in it, and the credentials to read it."""
    return rx.el.div(
        field(
            "Bucket and folder",
            text_input(
                name="uri",
                value=State.uri,
                on_change=State.type_uri,
                placeholder="s3://bucket/folder",
                auto_complete="off",
            ),
            hint="s3://, gs:// or az://. All videos below it are fetched, with the files that describe them.",
            error=problem_of(State, "uri"),
            required=True,
        ),
        field(
            "Credentials",
            select(State.credentials, value=State.credential, on_change=State.choose_credential, label="Credentials"),
            error=problem_of(State, "credential_id"),
        ),
        rx.cond(
            State.credential == "new",
            rx.cond(
                State.uri.startswith("gs:") | State.uri.startswith("gcs:"),
                _gs(),
                rx.cond(State.uri.startswith("az:") | State.uri.startswith("abfs"), _az(), _s3()),
            ),
            rx.fragment(),
        ),
        class_name="flex flex-col gap-4",
    )


def hub_fields() -> rx.Component:
    """An id on the Hugging Face Hub, and a token where it asks for one."""
    return rx.el.div(
        hub_id(
            State,
            "Dataset ID",
            "org/name",
            "Its videos and archives are fetched, with the files that describe them, but no code.",
        ),
        rx.el.div(
            revision(State),
            field(
                "Token",
                select(State.credentials, value=State.credential, on_change=State.choose_credential, label="Token"),
                hint="Only for gated or private datasets.",
                error=problem_of(State, "credential_id"),
            ),
            class_name="grid gap-4 sm:grid-cols-2",
        ),
        rx.cond(
            State.credential == "new",
            rx.el.div(
                field(
                    "Hub token",
                    password_input(name="token", auto_complete="new-password"),
                    error=problem_of(State, "token"),
                    required=True,
                ),
                _credential_name(),
                class_name="grid gap-4 sm:grid-cols-2",
            ),
            rx.fragment(),
        ),
        hub_size(State),
        class_name="flex flex-col gap-4",
    )


def _credential_name() -> rx.Component:
    return field(
        "Save them as",
        text_input(name="credential_name", placeholder="Team bucket", auto_complete="off", max_length=80),
        hint="Stored encrypted for your next dataset; the secret is never shown again.",
        error=problem_of(State, "credential_name"),
    )


def _endpoint(placeholder: str, hint: str) -> rx.Component:
    return field(
        "Endpoint",
        text_input(name="endpoint", placeholder=placeholder, auto_complete="off"),
        hint=hint,
        error=problem_of(State, "endpoint"),
    )


def _s3() -> rx.Component:
    return rx.el.div(
        field(
            "Access key ID",
            text_input(name="access_key", auto_complete="off", mono=True),
            error=problem_of(State, "access_key"),
            required=True,
        ),
        field(
            "Secret key",
            password_input(name="secret_key", auto_complete="new-password"),
            error=problem_of(State, "secret_key"),
            required=True,
        ),
        _endpoint("https://s3.amazonaws.com", "Only for stores other than AWS."),
        field(
            "Region",
            text_input(name="region", placeholder="us-east-1", auto_complete="off"),
            error=problem_of(State, "region"),
        ),
        rx.el.div(_credential_name(), class_name="sm:col-span-2"),
        class_name="grid grid-cols-1 gap-4 sm:grid-cols-2",
    )


def _az() -> rx.Component:
    return rx.el.div(
        field(
            "Storage account",
            text_input(name="account", auto_complete="off", mono=True, placeholder="mystorage"),
            error=problem_of(State, "account"),
            required=True,
        ),
        field(
            "Account key",
            password_input(name="account_key", auto_complete="new-password"),
            hint="Or a shared access signature, which can be read-only.",
            error=problem_of(State, "account_key"),
        ),
        field(
            "Shared access signature",
            password_input(name="sas_token", auto_complete="new-password"),
            hint="Begins with sv=, from the container's page.",
            error=problem_of(State, "sas_token"),
        ),
        _endpoint("https://account.blob.core.windows.net", "Only for stores other than Azure's own."),
        rx.el.div(_credential_name(), class_name="sm:col-span-2"),
        class_name="grid grid-cols-1 gap-4 sm:grid-cols-2",
    )


def _gs() -> rx.Component:
    return rx.el.div(
        field(
            "Service account key",
            textarea(name="service_account", rows=5, mono=True),
            hint="The content of the JSON key file.",
            error=problem_of(State, "service_account"),
            required=True,
        ),
        _credential_name(),
        class_name="flex flex-col gap-4",
    )
