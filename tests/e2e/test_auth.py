"""Accounts in a real browser: signing up, logging in by keyboard, being turned away, staying private."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from benchmarks.studio import Studio
from tests.e2e.conftest import PASSWORD, Person

OVERVIEW = re.compile(r"/overview/?$")
LOGIN = re.compile(r"/login/?(\?.*)?$")


def alive(page: Page) -> None:
    """Waits until the page speaks with the server: before that a click is only queued."""
    page.wait_for_load_state("networkidle")


def fill_signup(page: Page, person: Person, confirmation: str = "") -> None:
    page.goto("/signup")
    alive(page)
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_label("Confirm password").fill(confirmation or person.password)


def sign_up(page: Page, person: Person) -> None:
    fill_signup(page, person)
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(OVERVIEW)
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


def log_in(page: Page, login: str, password: str) -> None:
    page.goto("/login")
    alive(page)
    page.get_by_label("Email or username").fill(login)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page).to_have_url(LOGIN)


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_signup_weighs_the_password_and_lands_on_the_overview(page: Page, person: Person) -> None:
    page.goto("/signup")
    alive(page)
    meter = page.get_by_test_id("strength")
    page.get_by_label("Password", exact=True).fill("password")
    expect(meter).to_contain_text("Very weak")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(meter).to_contain_text("Very strong")
    sign_up(page, person)
    expect(page.get_by_text("Train the demo in one click")).to_be_visible()


def test_signup_says_what_is_wrong_as_one_leaves_a_field(page: Page) -> None:
    page.goto("/signup")
    alive(page)
    page.get_by_label("Username").fill("a!")
    page.keyboard.press("Tab")
    expect(page.get_by_text("A username has 3 to 32 letters")).to_be_visible()
    page.get_by_label("Email").fill("ada@")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Enter a full email address")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("short")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Use at least 10 characters")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value("ada@")


def test_signup_refuses_two_different_passwords(page: Page, person: Person) -> None:
    fill_signup(page, person, confirmation="another one entirely")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("The two passwords differ")).to_be_visible()
    expect(page).to_have_url(re.compile("/signup"))
    page.get_by_label("Confirm password").fill(person.password)
    expect(page.get_by_text("The two passwords differ")).to_be_hidden()


def test_signup_says_that_an_email_is_taken(page: Page, browser: Browser, app_server: Studio, person: Person) -> None:
    sign_up(page, person)
    other = browser.new_context(base_url=app_server.url)
    guest = other.new_page()
    fill_signup(guest, Person(f"{person.username}x", person.email.upper()))
    guest.get_by_role("button", name="Sign up").click()
    expect(guest.get_by_text("An account with this email exists already")).to_be_visible()
    expect(guest.get_by_label("Username")).to_have_value(f"{person.username}x")
    other.close()


def test_a_wrong_password_gets_a_sentence_and_the_right_one_goes_on(page: Page, account: Person) -> None:
    log_in(page, account.email, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("That password does not match")
    expect(page.get_by_label("Email or username")).to_have_value(account.email)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(OVERVIEW)


def test_login_works_by_keyboard_alone(page: Page, account: Person) -> None:
    page.goto("/login")
    alive(page)
    expect(page.get_by_label("Email or username")).to_be_focused()
    page.keyboard.type(account.username)
    page.keyboard.press("Tab")
    page.keyboard.type(account.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(OVERVIEW)


def test_guessing_is_slowed_down(page: Page, person: Person) -> None:
    page.goto("/login")
    alive(page)
    for attempt in range(6):
        page.get_by_label("Email or username").fill(person.username)
        page.get_by_label("Password", exact=True).fill(f"guess number {attempt}")
        page.get_by_role("button", name="Log in").click()
        sentence = "Too many failed attempts" if attempt == 5 else "That password does not match"
        expect(page.get_by_role("alert")).to_contain_text(sentence)
        expect(page.get_by_role("button", name="Log in")).to_be_enabled()


@pytest.mark.parametrize("path", ["/overview", "/settings", "/datasets"])
def test_private_pages_turn_strangers_away(page: Page, path: str) -> None:
    page.goto(path)
    expect(page).to_have_url(re.compile(rf"/login/?\?next=%2F{path[1:]}$"))


def test_a_login_returns_to_the_requested_page(page: Page, account: Person) -> None:
    page.goto("/settings")
    expect(page).to_have_url(re.compile("next=%2Fsettings"))
    alive(page)
    page.get_by_label("Email or username").fill(account.username)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/settings/?$"))


def test_next_never_leaves_the_site(page: Page, signed_in: Person) -> None:
    page.goto("/login?next=https%3A%2F%2Fevil.example%2F")
    expect(page).to_have_url(OVERVIEW)


def test_reload_keeps_the_session_and_logout_ends_it(page: Page, account: Person) -> None:
    log_in(page, account.username, account.password)
    expect(page).to_have_url(OVERVIEW)
    page.reload()
    expect(page.get_by_text("Train the demo in one click")).to_be_visible()
    log_out(page)
    page.goto("/overview")
    expect(page).to_have_url(LOGIN)
    page.go_back()
    expect(page.get_by_text("Train the demo in one click")).to_be_hidden()


def test_another_browser_sees_nothing(page: Page, browser: Browser, app_server: Studio, signed_in: Person) -> None:
    page.goto("/settings")
    expect(page.get_by_label("Email")).to_have_value(signed_in.email)
    other = browser.new_context(base_url=app_server.url)
    stranger = other.new_page()
    stranger.goto("/settings")
    expect(stranger).to_have_url(LOGIN)
    assert signed_in.email not in stranger.content()
    other.close()


def test_an_unknown_address_says_so(page: Page) -> None:
    page.goto("/no-such-page")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()


def test_settings_change_name_password_and_tokens(page: Page, context: BrowserContext, signed_in: Person) -> None:
    person = signed_in
    page.goto("/settings")
    expect(page.get_by_label("Username")).to_have_value(person.username)
    page.get_by_label("Username").fill(f"{person.username}.b")
    page.get_by_role("button", name="Save profile").click()
    dialog = page.get_by_role("dialog", name="Confirm it is you")
    dialog.get_by_label("Your password").fill("wrong")
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog.get_by_text("That is not your current password.")).to_be_visible()
    dialog.get_by_label("Your password").fill(person.password)
    dialog.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Profile saved.")).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(page.get_by_label("Username")).to_have_value(f"{person.username}.b")

    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password", exact=True).fill("seven lamps at noon")
    page.get_by_label("Confirm new password").fill("seven lamps at noon")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("That is not your current password.")).to_be_visible()
    page.get_by_label("Current password").fill(person.password)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Password changed.")).to_be_visible()

    page.get_by_label("Name", exact=True).fill("nightly")
    page.get_by_role("button", name="Create token").click()
    shown = page.get_by_test_id("new-token")
    expect(shown).to_contain_text("lrl_")
    token = re.search(r"lrl_[\w-]+", shown.inner_text())
    assert token
    answer = context.request.get("/api/v1/me", headers={"Authorization": f"Bearer {token[0]}", "Cookie": ""})
    assert answer.json()["username"] == f"{person.username}.b"
    page.get_by_role("button", name="Delete token nightly").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete token").click()
    expect(page.get_by_text("No tokens yet.")).to_be_visible()
    log_out(page)
    log_in(page, f"{person.username}.b", "seven lamps at noon")
    expect(page).to_have_url(OVERVIEW)


def test_pages_break_no_rule_of_axe(page: Page, person: Person) -> None:
    for path in ("/", "/login", "/signup"):
        page.goto(path)
        alive(page)
        assert_accessible(page)
    sign_up(page, person)
    expect(page.get_by_text("Train the demo in one click")).to_be_visible()
    assert_accessible(page)
    page.goto("/settings")
    expect(page.get_by_label("Username")).to_be_visible()
    assert_accessible(page)


def test_a_lost_connection_is_reported_and_keeps_the_typed_text(page: Page) -> None:
    sockets: list[WebSocketRoute] = []
    lost = False

    def pass_on(socket: WebSocketRoute) -> None:
        if lost:
            socket.close(code=3000)
            return
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket(re.compile("/_event"), pass_on)
    page.goto("/login")
    alive(page)
    page.get_by_label("Email or username").fill("ada")
    lost = True
    for socket in sockets:
        socket.close(code=3000)
    # The client gives a silent connection 20 s; a refused one is said at once.
    expect(page.get_by_role("alert").filter(has_text="No connection to Loreel")).to_be_visible(timeout=45_000)
    expect(page.get_by_label("Email or username")).to_have_value("ada")
    lost = False
    expect(page.get_by_role("alert")).to_be_hidden(timeout=45_000)
