"""Cloud credentials: sealed in the ledger, never in an answer, one owner each."""

import json

import pytest
from sqlmodel import select

from orchestrator.domain.credentials import Credential
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.users import Actor
from orchestrator.services import credentials
from orchestrator.services.datasets.ingest.sources import parse_source
from orchestrator.services.db import session_scope
from tests.studio import make_person

S3 = {"access_key": "AKIAEXAMPLE12", "secret_key": "a very secret key"}


def test_only_the_worker_sees_the_secret(ada: Actor) -> None:
    with session_scope() as session:
        row = credentials.save_credential(session, ada, "s3", "films", S3)
    with session_scope() as session:
        stored = session.exec(select(Credential)).one()
        assert "secret" not in stored.sealed
        assert "EXAMPLE" not in stored.sealed
        assert credentials.credential_secret(session, ada.user_id, row.id) == S3
        assert "secret" not in repr(credentials.list_credentials(session, ada))
        assert credentials.list_credentials(session, ada)[0].hint == "AKIA…12"


def test_those_of_another_user_do_not_exist(ada: Actor) -> None:
    eve = make_person("eve")
    with session_scope() as session:
        row = credentials.save_credential(session, ada, "s3", "films", S3)
        assert credentials.list_credentials(session, eve) == []
        with pytest.raises(NotFound):
            credentials.credential_secret(session, eve.user_id, row.id)
        with pytest.raises(NotFound):
            credentials.delete_credential(session, eve, row.id)
        with pytest.raises(Conflict, match="already have"):
            credentials.save_credential(session, ada, "s3", "films", S3)


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        ("s3", {}, "access_key"),
        ("s3", {"access_key": "a"}, "secret_key"),
        ("s3", S3 | {"endpoint": "http://169.254.169.254/"}, "endpoint"),
        ("s3", S3 | {"endpoint": "file:///etc/passwd"}, "endpoint"),
        ("gs", {"service_account": "{"}, "service_account"),
        ("gs", {"service_account": "[]"}, "service_account"),
        ("gs", {"service_account": json.dumps({"type": "external_account", "private_key": "x"})}, "service_account"),
        ("az", {}, "account"),
        ("az", {"account": "My Account", "account_key": "a2V5"}, "account"),
        ("az", {"account": "films0account"}, "account_key"),
        ("az", {"account": "films0account", "account_key": "no key!"}, "account_key"),
        ("az", {"account": "films0account", "sas_token": "words"}, "sas_token"),
        ("az", {"account": "films0account", "account_key": "a2V5", "endpoint": "http://10.0.0.1/"}, "endpoint"),
        ("hub", {"token": "no token"}, "token"),
        ("ftp", {}, "kind"),
    ],
)
def test_bad_ones_get_their_sentence(ada: Actor, kind: str, values: dict, field: str) -> None:
    with session_scope() as session, pytest.raises(Invalid) as refused:
        credentials.save_credential(session, ada, kind, "films", values)
    assert refused.value.problems[0][0] == field


def test_a_key_file_keeps_only_what_is_known(ada: Actor) -> None:
    account = {
        "type": "service_account",
        "private_key": "k",
        "client_email": "a@b",
        "credential_source": {"file": "/x"},
    }
    with session_scope() as session:
        row = credentials.save_credential(session, ada, "gs", "films", {"service_account": json.dumps(account)})
        assert set(credentials.credential_secret(session, ada.user_id, row.id)["service_account"]) == {
            "type",
            "private_key",
            "client_email",
        }


def test_a_token_is_replaced_under_its_name(ada: Actor) -> None:
    with session_scope() as session:
        first = credentials.save_token(session, ada, "mine", "hf_first_of_them")
        assert credentials.list_credentials(session, ada)[0].used_at is None
        credentials.credential_secret(session, ada.user_id, first.id)
        assert credentials.list_credentials(session, ada)[0].used_at is not None
        second = credentials.save_token(session, ada, "mine", "hf_second_of_them")
        assert (second.id, second.used_at) == (first.id, None)
        assert credentials.credential_secret(session, ada.user_id, first.id) == {"token": "hf_second_of_them"}
        credentials.save_credential(session, ada, "s3", "films", S3)
        with pytest.raises(Conflict):
            credentials.save_token(session, ada, "films", "hf_third_of_them")
        with pytest.raises(Invalid, match="Hub token"):
            credentials.save_token(session, ada, "empty", " ")


def test_a_secret_is_replaced_by_its_owner_only(ada: Actor) -> None:
    eve = make_person("eve")
    with session_scope() as session:
        row = credentials.save_credential(session, ada, "s3", "films", S3)
        with pytest.raises(NotFound):
            credentials.replace_credential(session, eve, row.id, S3)
        with pytest.raises(Invalid):
            credentials.replace_credential(session, ada, row.id, {"access_key": "x"})
        credentials.replace_credential(session, ada, row.id, S3 | {"secret_key": "another"})
        assert credentials.credential_secret(session, ada.user_id, row.id)["secret_key"] == "another"


@pytest.mark.parametrize(
    ("uri", "given", "field"),
    [
        ("az://films/set", {}, "uri"),
        ("az://films@My.Account/set", {}, "uri"),
        ("az://films@films0account.evil.example.org/set", {}, "uri"),
        ("s3://films@account/set", {}, "uri"),
        ("az://films/set", {"account": "films0account"}, "account_key"),
    ],
)
def test_a_container_needs_to_be_somebodys(ada: Actor, uri: str, given: dict, field: str) -> None:
    with session_scope() as session, pytest.raises(Invalid) as refused:
        parse_source(session, ada, {"type": "cloud", "uri": uri, **given})
    assert refused.value.field == field


@pytest.mark.parametrize("host", ["films0account", "films0account.blob.core.windows.net"])
def test_a_public_container_names_its_account(ada: Actor, host: str) -> None:
    with session_scope() as session:
        uri = f"az://films@{host}/set"
        assert parse_source(session, ada, {"type": "cloud", "uri": uri}) == {"type": "cloud", "uri": uri}
