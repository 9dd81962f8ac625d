"""A refresh token that the OAuth server replaces outlives a restart, in the file that it came from."""

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.config import parse
from service.config.secret_files import read_secret_file, write_secret_file
from service.config.settings import OAuth, Secret
from service.mail.oauth import AccessTokens, TokenRefused
from tests.descriptors import nothing_can_be_opened
from tests.rooms import CONFIG
from tests.transport.oauth_double import REFRESH_TOKEN, OAuthDouble, oauth_double
from tests.transport.rows import NOW


@pytest.fixture
def double() -> Iterator[OAuthDouble]:
    with oauth_double() as running:
        running.rotates = True
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "refresh.token"
    path.parent.mkdir()
    path.write_text(f"{REFRESH_TOKEN}\n")
    path.chmod(0o644)
    return path


def from_file(double: OAuthDouble, path: Path) -> OAuth:
    """Give the settings as config.yaml is read at a start."""
    token = Secret(read_secret_file(path))
    return replace(double.oauth(), refresh_token=token, refresh_token_file=path)


def started(double: OAuthDouble, path: Path) -> AccessTokens:
    return AccessTokens(from_file(double, path), username="status@acme.example")


def test_config_yaml_says_which_file_it_was(tmp_path: Path) -> None:
    (tmp_path / "refresh").write_text("r\n")
    login = "username: u, auth: google, oauth: {client_id: c, client_secret: s, refresh_token"
    mail = f"""\
mail:
  from: status@acme.example
  smtp: {{host: h, {login}_file: refresh}}}}
  imap: {{host: h, {login}: r}}}}
"""
    config = parse(mail + CONFIG, tmp_path / "config.yaml", {})
    assert config.mail is not None
    assert config.mail.imap is not None
    (by_file, by_value) = (config.mail.smtp.oauth, config.mail.imap.oauth)
    assert by_file is not None
    assert by_value is not None
    assert (by_file.refresh_token, by_file.refresh_token_file) == (Secret("r"), tmp_path / "refresh")
    assert (by_value.refresh_token, by_value.refresh_token_file) == (Secret("r"), None)


def test_a_replaced_token_is_there_after_a_restart(double: OAuthDouble, path: Path) -> None:
    for _ in range(3):
        started(double, path).current(NOW)
    assert len(double.given) == 3
    assert path.read_text() == f"{double.refresh_token}\n"


def test_the_file_is_its_owners_alone_and_nothing_is_left_beside_it(double: OAuthDouble, path: Path) -> None:
    started(double, path).current(NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_token_that_is_not_replaced_leaves_the_file_alone(double: OAuthDouble, path: Path) -> None:
    double.rotates = False
    before = path.stat()
    with capture_logs() as logged:
        started(double, path).current(NOW)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert logged == []


def test_two_logins_may_share_one_file(double: OAuthDouble, path: Path) -> None:
    relay, mailbox = started(double, path), started(double, path)
    for _ in range(3):
        relay.renew(NOW)
        mailbox.renew(NOW)
    assert len({form["refresh_token"] for form in double.asked}) == 6


def test_a_login_that_comes_second_takes_the_token_of_the_first(double: OAuthDouble, path: Path) -> None:
    """Both ask at once, and the server has ended the token that the second one shows."""
    tokens, answer = started(double, path), double.answer

    def exchange_meanwhile(form: dict[str, str]) -> tuple[int, bytes]:
        double.answer = answer  # type: ignore[method-assign]  # once only
        double.refresh_token = "another"
        path.write_text("another\n")
        return answer(form)

    double.answer = exchange_meanwhile  # type: ignore[method-assign, assignment]  # as above
    assert tokens.current(NOW) == double.given[-1]
    assert [form["refresh_token"] for form in double.asked] == [REFRESH_TOKEN, "another"]


def test_many_threads_with_one_file_lose_no_token(double: OAuthDouble, path: Path) -> None:
    tokens = started(double, path)
    threads = [threading.Thread(target=tokens.renew, args=(NOW,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_secret_file(path) == double.refresh_token


def test_whoever_signs_in_again_needs_no_restart(double: OAuthDouble, path: Path) -> None:
    tokens = started(double, path)
    double.refresh_token = "of the next sign-in"
    with pytest.raises(TokenRefused, match=f"put the new one into {path}"):
        tokens.current(NOW)
    path.write_text("of the next sign-in")
    assert tokens.current(NOW) == double.given[-1]


@pytest.mark.parametrize("fault", [PermissionError(13, "Permission denied"), OSError(30, "Read-only")])
def test_a_file_that_cannot_be_written_is_told_once_and_the_service_goes_on(
    double: OAuthDouble, path: Path, monkeypatch: pytest.MonkeyPatch, fault: OSError
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("tempfile.mkstemp", fail)
    tokens = started(double, path)
    with capture_logs() as logged:
        for day in range(3):
            tokens.current(NOW + timedelta(days=day))
    assert len({form["refresh_token"] for form in double.asked}) == 3
    (warning,) = logged
    assert f"let the service write {path} and its folder" in warning["remedy"]
    assert path.read_text() == f"{REFRESH_TOKEN}\n"
    assert not any(form["refresh_token"] in str(logged) for form in double.asked)


def test_a_token_that_could_not_be_kept_is_kept_at_the_next_exchange(
    double: OAuthDouble, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    tokens = started(double, path)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("tempfile.mkstemp", fail)
        tokens.current(NOW)
    double.rotates = False
    tokens.renew(NOW)
    assert read_secret_file(path) == double.refresh_token != REFRESH_TOKEN


def test_a_file_that_cannot_be_opened_just_now_holds_up_no_login(double: OAuthDouble, path: Path) -> None:
    tokens = started(double, path)

    def exchange(_url: str, form: dict[str, str]) -> tuple[int, bytes]:
        return double.answer(form)

    with pytest.MonkeyPatch.context() as meanwhile, nothing_can_be_opened():
        meanwhile.setattr("service.mail.oauth.exchange", exchange)
        assert tokens.current(NOW) == double.given[-1]


def test_a_token_from_elsewhere_is_told_once_to_need_a_file(double: OAuthDouble) -> None:
    tokens = AccessTokens(double.oauth(), username="status@acme.example")
    with capture_logs() as logged:
        for _ in range(3):
            tokens.renew(NOW)
    (warning,) = logged
    assert "`refresh_token_file`" in warning["remedy"]
    assert double.refresh_token not in str(logged)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff", None])
def test_a_file_that_is_spoiled_while_the_service_runs_does_not_stop_it(
    double: OAuthDouble, path: Path, content: bytes | None
) -> None:
    tokens = started(double, path)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert tokens.current(NOW) == double.given[-1]
    assert tokens.renew(NOW) == double.given[-1]


@pytest.mark.parametrize("rotated", ["", "a\nb", "größe", 7, None, ["a"]])
def test_what_is_no_refresh_token_is_not_kept(double: OAuthDouble, path: Path, rotated: object) -> None:
    double.extra = {"refresh_token": rotated}
    started(double, path).current(NOW)
    assert read_secret_file(path) == REFRESH_TOKEN


def test_a_symbolic_link_stays_one(tmp_path: Path, path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    write_secret_file(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_keeps_its_owner(path: Path) -> None:
    """An admin who runs the doctor as root must not shut the service out."""
    os.chown(path, 65534, 65534)
    write_secret_file(path, "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_write_that_fails_leaves_the_old_secret_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_secret_file(path, "new")
    assert path.read_text() == f"{REFRESH_TOKEN}\n"
    assert list(path.parent.iterdir()) == [path]
