"""A log-in link: for employees alone, for a quarter of an hour, once, in the browser that asked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.actions.house import House
from service.actions.logging_in import (
    IDLE_END,
    LINK_LIFETIME,
    MOST_LINKS_AN_HOUR,
    SESSION_LIFETIME,
    Arriving,
    find_employee,
    log_in,
    log_in_by_provider,
    log_out,
    mark_known,
    note_refusal,
    request_link,
)
from service.errors import NotAllowed, TokenInvalid
from service.mail.compose import link_token
from service.model import DeliveryKind, Role
from service.store import audit, credentials, deliveries
from service.store.credentials import Purpose
from tests.rooms import Clock

BROWSER, SESSION = "browser key", "session key"
JORDAN = "jordan@acme.example"


def tokens_sent(house: House, clock: Clock) -> list[str]:
    """Take the mails out of the outbox; gives the tokens of their links."""
    with house.store.transaction() as connection:
        lease = timedelta(days=365)
        mails = deliveries.claim_due(connection, clock(), urgent=True, lease=lease, limit=99)
    assert {mail.kind for mail in mails} <= {DeliveryKind.LOGIN_LINK}
    return [link_token(house.key, mail.public_id, "login") for mail in mails]


def ask(house: House, clock: Clock, email: str = "jordan@acme.example", browser: str = BROWSER) -> str:
    request_link(house, email, browser=browser, now=clock())
    [token] = tokens_sent(house, clock)
    return token


def enter(house: House, clock: Clock, token: str, browser: str = BROWSER) -> str:
    return log_in(house, token, Arriving(SESSION), browser=browser, now=clock()).id


@pytest.mark.parametrize("email", ["jordan@acme.example", "Jordan@ACME.example", "  jordan@acme.example "])
def test_an_employee_gets_a_link_that_logs_in(house: House, clock: Clock, email: str) -> None:
    token = ask(house, clock, email)
    assert find_employee(house, SESSION, clock()) is None
    assert enter(house, clock, token) == "jordan"
    employee = find_employee(house, SESSION, clock())
    assert employee is not None
    assert employee.id == "jordan"


@pytest.mark.parametrize(
    "email", ["ana@reader.example", "", "jordan", "jordan@acme.example, sam@acme.example"]
)
def test_an_unknown_address_is_told_nothing(house: House, clock: Clock, email: str) -> None:
    request_link(house, email, browser=BROWSER, now=clock())
    assert tokens_sent(house, clock) == []


def test_a_browser_gets_one_link_a_minute_and_it_stays_good(house: House, clock: Clock) -> None:
    for _ in range(5):
        request_link(house, JORDAN, browser=BROWSER, now=clock())
    [token] = tokens_sent(house, clock)
    assert enter(house, clock, token) == "jordan"
    clock.move(timedelta(minutes=1))
    request_link(house, JORDAN, browser=BROWSER, now=clock())
    assert len(tokens_sent(house, clock)) == 1


def test_a_stranger_who_asks_takes_nobody_s_turn(house: House, clock: Clock) -> None:
    request_link(house, JORDAN, browser="a stranger's", now=clock())
    strangers = tokens_sent(house, clock)[0]
    own = ask(house, clock)
    with pytest.raises(TokenInvalid, match="only in the browser that asked for it"):
        enter(house, clock, strangers)
    assert enter(house, clock, own) == "jordan"


def besiege(house: House, clock: Clock, browsers: int) -> int:
    """Let strangers ask from new browsers all the time; gives how many mails that makes."""
    for number in range(browsers):
        request_link(house, JORDAN, browser=f"a stranger's {number}", now=clock())
    return len(tokens_sent(house, clock))


def test_strangers_fill_a_mailbox_with_few_links_an_hour(house: House, clock: Clock) -> None:
    assert besiege(house, clock, 5 * MOST_LINKS_AN_HOUR) == MOST_LINKS_AN_HOUR
    clock.move(timedelta(minutes=59))
    assert besiege(house, clock, 1) == 0
    clock.move(timedelta(minutes=2))
    assert besiege(house, clock, 1) == 1


def test_strangers_cannot_keep_an_employee_out_of_a_browser_that_is_known(house: House, clock: Clock) -> None:
    known = mark_known(house, house.config.employees["jordan"], BROWSER)
    besiege(house, clock, 5 * MOST_LINKS_AN_HOUR)
    assert enter(house, clock, ask(house, clock, browser=known), known) == "jordan"


@pytest.mark.parametrize("mark", ["", ".", "." + "0" * 64, ".\u00e9"])
def test_a_mark_that_is_not_ours_makes_no_browser_known(house: House, clock: Clock, mark: str) -> None:
    besiege(house, clock, MOST_LINKS_AN_HOUR)
    request_link(house, JORDAN, browser=f"{BROWSER}{mark}", now=clock())
    assert tokens_sent(house, clock) == []


def test_a_browser_is_known_for_its_employee_and_its_own_key_alone(house: House, clock: Clock) -> None:
    besiege(house, clock, MOST_LINKS_AN_HOUR)
    of_sam = mark_known(house, house.config.employees["sam"], BROWSER)
    of_another = mark_known(house, house.config.employees["jordan"], "another").partition(".")[2]
    for browser in (of_sam, f"{BROWSER}.{of_another}"):
        request_link(house, JORDAN, browser=browser, now=clock())
    assert tokens_sent(house, clock) == []


def test_a_link_that_was_asked_for_before_the_browser_was_known_still_opens(
    house: House, clock: Clock
) -> None:
    early = ask(house, clock)
    known = mark_known(house, house.config.employees["jordan"], BROWSER)
    assert enter(house, clock, early, known) == "jordan"


def test_a_link_that_is_too_old_says_so(house: House, clock: Clock) -> None:
    token = ask(house, clock)
    clock.move(LINK_LIFETIME)
    with pytest.raises(TokenInvalid, match="this log-in link is too old; ask for a new one"):
        enter(house, clock, token)


def test_a_link_that_was_used_says_so(house: House, clock: Clock) -> None:
    token = ask(house, clock)
    enter(house, clock, token)
    with pytest.raises(TokenInvalid, match="this log-in link was used before; ask for a new one"):
        enter(house, clock, token)


def test_in_another_browser_a_link_does_not_open_and_is_not_used_up(house: House, clock: Clock) -> None:
    token = ask(house, clock)
    for browser in ("another", "", BROWSER.upper()):
        with pytest.raises(TokenInvalid, match="only in the browser that asked for it"):
            enter(house, clock, token, browser)
    assert enter(house, clock, token) == "jordan"


@pytest.mark.parametrize("token", ["", "nonsense", "a" * 26])
def test_a_link_that_is_not_ours_says_so(house: House, clock: Clock, token: str) -> None:
    ask(house, clock)
    with pytest.raises(TokenInvalid, match="not one of ours; ask for a new one"):
        enter(house, clock, token)


def test_the_token_of_a_reply_logs_nobody_in(house: House, clock: Clock) -> None:
    request_link(house, "jordan@acme.example", browser=BROWSER, now=clock())
    with house.store.transaction() as connection:
        [mail] = deliveries.claim_due(connection, clock(), urgent=True, lease=LINK_LIFETIME, limit=9)
    for purpose in (Purpose.REPLY, Purpose.CONFIRM, "unsubscribe"):
        with pytest.raises(TokenInvalid, match="not one of ours"):
            enter(house, clock, link_token(house.key, mail.public_id, purpose))


def test_a_session_ends_a_week_after_it_was_used_last(house: House, clock: Clock) -> None:
    enter(house, clock, ask(house, clock))
    for _ in range(2):
        clock.move(IDLE_END - timedelta(seconds=1))
        assert find_employee(house, SESSION, clock()) is not None
    clock.move(IDLE_END)
    assert find_employee(house, SESSION, clock()) is None


def test_a_session_ends_after_thirty_days_however_much_it_is_used(house: House, clock: Clock) -> None:
    enter(house, clock, ask(house, clock))
    end = clock() + SESSION_LIFETIME
    while clock() + timedelta(days=1) < end:
        clock.move(timedelta(days=1))
        assert find_employee(house, SESSION, clock()) is not None
    clock.now = end
    assert find_employee(house, SESSION, clock()) is None


def test_when_a_session_was_seen_is_written_once_a_minute_at_most(house: House, clock: Clock) -> None:
    enter(house, clock, ask(house, clock))
    seen = []
    for _ in range(3):
        clock.move(timedelta(seconds=40))
        find_employee(house, SESSION, clock())
        with house.store.reading() as connection:
            [session] = credentials.sessions_of(connection, "jordan", clock(), limit=9)
        seen.append(session.seen_at)
    assert seen == [
        clock() - timedelta(seconds=120),
        clock() - timedelta(seconds=40),
        clock() - timedelta(seconds=40),
    ]


def test_who_is_no_employee_any_more_is_out_at_once_and_a_role_holds_as_it_is_now(
    house: House, clock: Clock
) -> None:
    enter(house, clock, ask(house, clock))
    employees = house.config.employees
    demoted = {**employees, "jordan": replace(employees["jordan"], role=Role.VIEWER)}
    found = find_employee(replace(house, config=replace(house.config, employees=demoted)), SESSION, clock())
    assert found is not None
    assert found.role is Role.VIEWER
    gone = {name: one for name, one in employees.items() if name != "jordan"}
    elsewhere = replace(house, config=replace(house.config, employees=gone))
    assert find_employee(elsewhere, SESSION, clock()) is None


def test_a_session_ends_by_logging_out(house: House, clock: Clock) -> None:
    enter(house, clock, ask(house, clock))
    log_out(house, SESSION, clock())
    assert find_employee(house, SESSION, clock()) is None


def test_the_store_keeps_no_key_that_would_open_a_session(house: House, clock: Clock) -> None:
    enter(house, clock, ask(house, clock))
    with house.store.reading() as connection:
        assert credentials.find_session(connection, SESSION, clock()) is None


def test_logging_in_and_out_and_being_refused_are_written_down(house: House, clock: Clock) -> None:
    token = ask(house, clock)
    log_in(house, token, Arriving(SESSION, "Firefox\n on\x00 Linux"), browser=BROWSER, now=clock())
    log_out(house, SESSION, clock())
    log_out(house, SESSION, clock())
    note_refusal(house, "oidc", "the answer holds no code", clock())
    with house.store.reading() as connection:
        acts = audit.listed(connection, limit=9)
    assert [(one.by, one.act, one.about, one.note) for one in acts] == [
        ("", "login_refused", "oidc", "the answer holds no code"),
        ("jordan", "logged_out", "mail", "Firefox on Linux"),
        ("jordan", "logged_in", "mail", "Firefox on Linux"),
    ]


def test_whom_a_provider_names_is_let_in_if_config_yaml_names_them_too(house: House, clock: Clock) -> None:
    entered = log_in_by_provider(house, " Jordan@ACME.example", Arriving(SESSION), now=clock())
    assert entered.id == "jordan"
    with house.store.reading() as connection:
        [session] = credentials.sessions_of(connection, "jordan", clock(), limit=9)
    assert session.way == "oidc"
    with pytest.raises(NotAllowed, match=r"eve@evil\.example is no employee's address"):
        log_in_by_provider(house, "eve@evil.example", Arriving("another"), now=clock())
    assert find_employee(house, "another", clock()) is None


def test_logging_in_again_ends_the_session_of_before(house: House, clock: Clock) -> None:
    enter(house, clock, ask(house, clock))
    log_in_by_provider(house, JORDAN, Arriving("another", instead_of=SESSION), now=clock())
    assert find_employee(house, SESSION, clock()) is None
    assert find_employee(house, "another", clock()) is not None
