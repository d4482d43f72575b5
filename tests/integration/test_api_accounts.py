"""Accounts by REST: who gets in, who does not, and with which sentence."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import select

from orchestrator.domain.base import utcnow
from orchestrator.domain.users import LoginTicket, UserSession
from orchestrator.edge.inline_scripts import script_sources
from orchestrator.services.auth import tickets
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.db import session_scope
from tests.api_client import PASSWORD, SITE, make_client, refusal, sign_in

pytestmark = pytest.mark.usefixtures("redis_server")


@pytest.fixture(autouse=True)
def _fresh_limits(redis_server: object) -> None:
    forget_clients()


def test_a_script_signs_up_without_naming_an_origin():
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
    answer = make_client().post("/api/v1/auth/signup", json=body)
    assert answer.status_code == 201
    assert answer.json()["role"] == "admin"
    assert isinstance(answer.json()["id"], str)
    assert "password" not in answer.text


def test_taken_names_differ_by_more_than_case():
    sign_in("ada")
    body = {"username": "ADA", "email": "other@example.org", "password": PASSWORD}
    assert refusal(make_client().post("/api/v1/auth/signup", json=body), 409)["errors"][0]["field"] == "username"
    body = {"username": "other", "email": "ADA@example.org", "password": PASSWORD}
    assert refusal(make_client().post("/api/v1/auth/signup", json=body), 409)["errors"][0]["field"] == "email"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ab"),
        ("username", "a b c"),
        ("username", "x" * 33),
        ("email", "no-at-sign"),
        ("email", "a@b@c"),
        ("password", "short"),
        ("password", "aaaaaaaaaaaa"),
        ("password", "good.name@example.org"),
        ("password", "p" * 300),
    ],
)
def test_each_bad_field_has_its_sentence(field: str, value: str):
    body = {"username": "goodname", "email": "good.name@example.org", "password": PASSWORD} | {field: value}
    assert [e["field"] for e in refusal(make_client().post("/api/v1/auth/signup", json=body), 422)["errors"]] == [field]


def test_the_cookie_is_unreadable_for_scripts_and_only_its_hash_is_stored():
    client = sign_in("ada")
    answer = client.post("/api/v1/auth/login", json={"login": "ADA@example.org", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    token = cookie.split("=", 1)[1].split(";")[0]
    with session_scope() as session:
        hashes = session.exec(select(UserSession.token_hash)).all()
    assert token not in hashes
    assert all(len(kept) == 64 for kept in hashes)


def test_an_ended_or_run_out_session_opens_nothing():
    client = sign_in("ada")
    assert client.get("/api/v1/me").status_code == 200
    with session_scope() as session:
        session.exec(update(UserSession).values(expires_at=utcnow() - timedelta(seconds=1)))
    refusal(client.get("/api/v1/me"), 401)
    assert client.post("/api/v1/auth/logout").status_code == 204


def test_five_wrong_passwords_and_then_a_wait_even_with_the_right_one():
    sign_in("ada")
    client = make_client()
    for _ in range(5):
        refusal(client.post("/api/v1/auth/login", json={"login": "ada", "password": "wrong"}), 401)
    answer = client.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD})
    refusal(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_unknown_and_wrong_read_the_same():
    sign_in("ada")
    client = make_client()
    wrong = refusal(client.post("/api/v1/auth/login", json={"login": "ada", "password": "wrong"}), 401)
    unknown = refusal(client.post("/api/v1/auth/login", json={"login": "nobody", "password": "wrong"}), 401)
    assert wrong == unknown


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"origin": ""}])
def test_a_foreign_page_writes_nothing_with_our_cookie(headers: dict[str, str]):
    client = sign_in("ada")
    refusal(client.post("/api/v1/datasets", json={"name": "x"}, headers=headers), 403)
    refusal(client.patch("/api/v1/me", json={"username": "eve"}, headers=headers), 403)
    assert client.get("/api/v1/datasets").status_code == 200


@pytest.mark.parametrize("origin", ["http://[bad", "http://]", "http://localhost:port", "http://localhost:99999"])
def test_an_origin_that_is_no_address_is_a_foreign_one(origin: str):
    body = {"login": "ada", "password": "wrong"}
    refusal(make_client(origin=origin).post("/api/v1/auth/login", json=body), 403)
    refusal(sign_in("ada").post("/api/v1/datasets", json={"name": "x"}, headers={"origin": origin}), 403)


def test_tokens_are_shown_once_and_stay_within_their_scopes():
    client = sign_in("ada")
    made = client.post("/api/v1/tokens", json={"name": "reader", "scopes": ["read"], "expires_days": 1}).json()
    assert made["token"].startswith("lrl_")
    assert made["token"] not in client.get("/api/v1/tokens").text
    script = make_client(authorization=f"Bearer {made['token']}")
    assert script.get("/api/v1/datasets").status_code == 200
    refusal(script.post("/api/v1/datasets", json={"name": "x"}), 403)
    writer = client.post("/api/v1/tokens", json={"name": "writer"}).json()["token"]
    script2 = make_client(authorization=f"Bearer {writer}")
    assert script2.post("/api/v1/datasets", json={"name": "x"}).status_code == 201
    refusal(script2.post("/api/v1/tokens", json={"name": "more"}), 403)
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    refusal(script.get("/api/v1/datasets"), 401)


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "evil"])
def test_a_ticket_leads_only_to_our_own_pages_and_works_once(wanted: str):
    me = sign_in("ada").get("/api/v1/me").json()
    with session_scope() as session:
        ticket = tickets.issue_ticket(session, int(me["id"]), True)
    client = make_client()
    answer = client.get("/api/session", params={"ticket": ticket, "next": wanted}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/overview"
    assert client.get("/api/v1/me").json()["username"] == "ada"
    again = make_client().get("/api/session", params={"ticket": ticket}, follow_redirects=False)
    assert again.headers["location"] == "/login"
    assert "set-cookie" not in again.headers


def test_another_sites_link_signs_nobody_in():
    me = sign_in("ada").get("/api/v1/me").json()
    with session_scope() as session:
        ticket = tickets.issue_ticket(session, int(me["id"]), True)
    stranger = make_client(**{"sec-fetch-site": "cross-site"})
    answer = stranger.get("/api/session", params={"ticket": ticket}, follow_redirects=False)
    assert answer.headers["location"] == "/login"
    assert "set-cookie" not in answer.headers


def test_an_old_ticket_opens_nothing():
    me = sign_in("ada").get("/api/v1/me").json()
    with session_scope() as session:
        ticket = tickets.issue_ticket(session, int(me["id"]), True)
        session.exec(update(LoginTicket).values(expires_at=utcnow() - timedelta(seconds=1)))
    answer = make_client().get("/api/session", params={"ticket": ticket}, follow_redirects=False)
    assert answer.headers["location"] == "/login"


def test_the_log_out_form_ends_the_session():
    client = sign_in("ada")
    refusal(client.post("/api/session/end", headers={"origin": "https://evil.example"}), 403)
    answer = client.post("/api/session/end", headers={"origin": SITE}, follow_redirects=False)
    assert answer.headers["location"] == "/login"
    refusal(client.get("/api/v1/me"), 401)


def test_everything_that_fails_is_a_problem_document():
    client = make_client()
    refusal(client.get("/api/v1/nowhere"), 404)
    refusal(client.delete("/api/v1/health"), 405)
    refusal(client.post("/api/v1/auth/login", content=b"{", headers={"content-type": "application/json"}), 422)
    refusal(client.post("/api/v1/auth/login", json={"login": 3}), 422)


def test_docs_load_nothing_from_elsewhere():
    client = make_client()
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    policy = page.headers["content-security-policy"]
    assert script_sources(page.text) <= set(policy.replace(";", "").split())
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    # Swagger UI 4 answers "Unable to render this definition" to FastAPI's OpenAPI 3.1.
    assert b"isOAS31" in client.get("/api/docs/assets/swagger-ui-bundle.js").content
    assert client.get("/api/openapi.json").json()["info"]["title"] == "Loreel"
