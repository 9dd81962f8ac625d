"""How replies come back: the second door, and when their sender is believed."""

from pathlib import Path

import pytest

from service.config import Mail
from service.config.mail_build import NAMED_BY_PROFILE
from service.config.settings import Authenticity, Door, Policy, Profile, Protocol
from service.mail.authenticity import trusts_a_server
from tests.config.certificates import write_certificate
from tests.config.sample import MAIL, SAMPLE, changed, faults_of, marked, read

AUTHENTICITY = "  authenticity: {authserv_id: mx.acme.example}\n"


def mail_of(text: str, path: Path = Path("config.yaml")) -> Mail:
    mail = read(text, path=path).mail
    assert mail is not None
    return mail


def test_the_second_door_speaks_lmtp_on_this_machine_unless_said_otherwise() -> None:
    assert mail_of(SAMPLE + MAIL + "  receive: {}\n").door == Door(Protocol.LMTP, "127.0.0.1", 2424)


def test_the_second_door_is_as_it_is_given() -> None:
    text = SAMPLE + MAIL + '  receive: {protocol: smtp, host: "::1", port: 25}\n'
    assert mail_of(text).door == Door(Protocol.SMTP, "::1", 25)


def test_there_is_no_second_door_unless_it_is_given() -> None:
    assert mail_of(SAMPLE + MAIL).door is None


def test_certificate_and_key_lie_beside_the_file(tmp_path: Path) -> None:
    write_certificate(tmp_path / "a.crt", tmp_path / "a.key")
    text = SAMPLE + MAIL + "  receive: {certificate: a.crt, key: a.key}\n"
    door = mail_of(text, tmp_path / "config.yaml").door
    assert door is not None
    assert (door.certificate, door.key) == (tmp_path / "a.crt", tmp_path / "a.key")


@pytest.mark.parametrize(
    ("door", "fragment"),
    [
        ("¦certificate: a.crt", "`certificate` needs a `key` beside it"),
        ("¦key: a.key", "`key` needs a `certificate` beside it"),
        ("certificate: ¦none.crt, key: a.key", "the file `none.crt` does not exist"),
        ("certificate: a.crt, key: ¦none.key", "the file `none.key` does not exist"),
        ("certificate: ¦folder, key: a.key", "the file `folder` is not a file"),
        ("certificate: ¦a.crt, key: b.key", "do not belong together"),
        ("certificate: ¦a.crt, key: locked.key", "the key without a password"),
        ("certificate: ¦a.key, key: a.key", "both must be PEM files"),
        ("certificate: ¦text, key: text", "both must be PEM files"),
        ("certificate: ¦'', key: a.key", "`certificate` is empty: write a text"),
        ("certificate: ¦[a], key: a.key", "`certificate` must be one text"),
        ("protocol: ¦pop", "is not one of lmtp, smtp"),
        ("port: ¦0", "is not a port"),
        ("¦prot: 1", "unknown key `prot` in `receive`"),
    ],
)
def test_a_faulty_door_is_one_fault_at_its_place(tmp_path: Path, door: str, fragment: str) -> None:
    write_certificate(tmp_path / "a.crt", tmp_path / "a.key")
    write_certificate(tmp_path / "b.crt", tmp_path / "b.key")
    write_certificate(tmp_path / "locked.crt", tmp_path / "locked.key", password="secret")
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "folder").mkdir()
    text, line, column = marked(f"{SAMPLE}{MAIL}  receive: {{{door}}}\n")
    (fault,) = faults_of(text, path=tmp_path / "config.yaml")
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize(
    ("section", "policy", "profile"),
    [
        ("", Policy.TOKEN_ONLY, Profile.GENERIC),
        ("  authenticity: {}\n", Policy.TOKEN_ONLY, Profile.GENERIC),
        (AUTHENTICITY, Policy.REQUIRE, Profile.GENERIC),
        ("  authenticity: {profile: google}\n", Policy.REQUIRE, Profile.GOOGLE),
        ("  authenticity: {profile: microsoft365}\n", Policy.REQUIRE, Profile.MICROSOFT365),
        ("  authenticity: {profile: fastmail}\n", Policy.REQUIRE, Profile.FASTMAIL),
        ("  authenticity: {profile: opendmarc}\n", Policy.TOKEN_ONLY, Profile.OPENDMARC),
        ("  authenticity: {profile: rspamd, authserv_id: mx}\n", Policy.REQUIRE, Profile.RSPAMD),
        ("  authenticity: {profile: google, policy: token_only}\n", Policy.TOKEN_ONLY, Profile.GOOGLE),
        ("  authenticity: {policy: require}\n", Policy.REQUIRE, Profile.GENERIC),
    ],
)
def test_a_sender_must_be_authentic_where_somebody_s_word_for_it_is_known(
    section: str, policy: Policy, profile: Profile
) -> None:
    authenticity = mail_of(changed(AUTHENTICITY, section)).authenticity
    assert (authenticity.policy, authenticity.profile) == (policy, profile)


@pytest.mark.parametrize("profile", Profile)
def test_the_profiles_that_need_no_name_are_those_that_mail_knows(profile: Profile) -> None:
    known = trusts_a_server(Authenticity(Policy.REQUIRE, profile=profile))
    assert known is (profile in NAMED_BY_PROFILE)


@pytest.mark.parametrize(
    ("section", "fragment"),
    [
        ("policy: ¦requier", "is not one of require, token_only, did you mean `require`?"),
        ("profile: ¦gmail", "is not one of generic, google"),
        ("authserv_id: ¦'mx.acme.example; dmarc=pass'", "take what stands before the first `;`"),
        ("authserv_id: ¦'Authentication-Results: mx'", "take what stands before the first `;`"),
        (f"authserv_id: ¦{'m' * 200}{'x' * 54}", "`authserv_id` is too long"),
    ],
)
def test_a_faulty_authenticity_is_one_fault_at_its_place(section: str, fragment: str) -> None:
    text, line, column = marked(changed("authserv_id: mx.acme.example", section))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize(
    ("written", "verp"), [("", True), ("  verp: false\n", False), ("  verp: true\n", True)]
)
def test_bounces_have_addresses_of_their_own_unless_said_otherwise(
    written: str,
    verp: bool,  # noqa: FBT001 — a column of the table
) -> None:
    assert mail_of(SAMPLE + MAIL + written).verp is verp
