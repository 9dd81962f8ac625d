"""Whether a message of Amazon SNS is Amazon's."""

import pytest

from service.errors import SecretWrong
from service.providers.sns_signature import (
    certificate_url,
    check_message,
    is_of_sns,
    read_certificate,
    signed_text,
)
from tests.providers.amazon import CERTIFICATE_URL, NOW, message_of, signer

HOST = "https://sns.eu-west-1.amazonaws.com"
PATH = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"


def test_what_is_signed_is_names_and_values_a_line_each() -> None:
    message = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": "t",
        "Message": "a\nb",
        "Timestamp": "now",
    }
    assert signed_text(message) == (
        b"Message\na\nb\nMessageId\n1\nTimestamp\nnow\nTopicArn\nt\nType\nNotification\n"
    )
    assert b"\nSubject\nhello\nTimestamp\n" in signed_text({**message, "Subject": "hello"})


@pytest.mark.parametrize("file", ["firing", "test", "subscription"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_of_either_version_is_verified(file: str, version: str) -> None:
    amazon = signer()
    message = amazon.sign(message_of(file), version=version)
    check_message(message, read_certificate(amazon.pem, NOW))


@pytest.mark.parametrize(
    "changed",
    [
        {"Message": "{}"},
        {"MessageId": "another"},
        {"TopicArn": "arn:aws:sns:eu-west-1:666666666666:alarms"},
        {"Subject": "another"},
        {"Subject": None},
        {"Timestamp": "2026-11-24T09:02:07.512Z"},
        {"Type": "UnsubscribeConfirmation"},
        {"Type": ["Notification"]},
        {"SignatureVersion": "2"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": 1},
        {"Signature": ""},
        {"Signature": "?"},
        {"Signature": None},
        {"Message": None},
        {"Message": "\ud800"},
    ],
)
def test_what_was_changed_on_the_way_is_refused(changed: dict[str, object]) -> None:
    amazon = signer()
    message = amazon.sign(message_of("firing")) | changed
    with pytest.raises(SecretWrong):
        check_message(message, read_certificate(amazon.pem, NOW))


def test_the_address_that_confirms_a_subscription_is_signed_too() -> None:
    amazon = signer()
    message = amazon.sign(message_of("subscription")) | {"SubscribeURL": f"{HOST}/?Action=Other"}
    with pytest.raises(SecretWrong, match="the signature of the message is wrong"):
        check_message(message, read_certificate(amazon.pem, NOW))


def test_another_s_key_is_refused() -> None:
    message = signer().sign(message_of("firing"))
    another = read_certificate(signer("sns.us-east-1.amazonaws.com").pem, NOW)
    with pytest.raises(SecretWrong):
        check_message(message, another)


@pytest.mark.parametrize(
    ("name", "alternative", "days", "complaint"),
    [
        ("sns.amazonaws.com", "", (-30, 30), ""),
        ("Amazon", "sns.eu-west-1.amazonaws.com", (-30, 30), ""),
        ("sns.cn-north-1.amazonaws.com.cn", "", (-30, 30), ""),
        ("sns.amazonaws.com", "", (-30, -1), "is not valid now"),
        ("sns.amazonaws.com", "", (1, 30), "is not valid now"),
        ("evil.example", "", (-30, 30), "not made out to Amazon SNS"),
        ("sns.amazonaws.com.evil.example", "", (-30, 30), "not made out to Amazon SNS"),
        ("evil.example", "s3.amazonaws.com", (-30, 30), "not made out to Amazon SNS"),
    ],
)
def test_a_certificate_is_valid_now_and_made_out_to_amazon_sns(
    name: str, alternative: str, days: tuple[int, int], complaint: str
) -> None:
    pem = signer(name, alternative=alternative, from_=days[0], until=days[1]).pem
    if not complaint:
        assert read_certificate(pem, NOW).serial_number == 7  # as it was made
        return
    with pytest.raises(SecretWrong, match=complaint):
        read_certificate(pem, NOW)


@pytest.mark.parametrize(
    "pem", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(SecretWrong, match="is no certificate"):
        read_certificate(pem, NOW)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{HOST}/", True),
        ("https://sns.us-gov-west-1.amazonaws.com/", True),
        ("https://sns.cn-north-1.amazonaws.com.cn/", True),
        ("https://SNS.eu-west-1.amazonaws.com:443/", True),
        ("http://sns.eu-west-1.amazonaws.com/", False),
        ("https://sns.eu-west-1.amazonaws.com:8443/", False),
        ("https://sns.eu-west-1.amazonaws.com@evil.example/", False),
        ("https://evil@sns.eu-west-1.amazonaws.com/", False),
        ("https://sns.eu-west-1.amazonaws.com.evil.example/", False),
        ("https://sns.eu-west-1.amazonaws.com.cn.evil.example/", False),
        ("https://evil-sns.eu-west-1.amazonaws.com/", False),
        ("https://sns.evil.amazonaws.com/", False),
        ("https://sns.s3.amazonaws.com/", False),
        ("https://sns.amazonaws.com/", False),
        ("https://eu-west-1.amazonaws.com/", False),
        ("https://evil.example/https://sns.eu-west-1.amazonaws.com/", False),
        ("https://evil.example\\@sns.eu-west-1.amazonaws.com/", False),
        ("https://sns.eu-west-1.amazonaws.com /", False),
        ("https://sns.eu-west-1.amazonaws.com./", False),
        ("https://sns.eu-west-1.amazonaws.com:99999/", False),
        ("https://[::1]/", False),
        ("https://169.254.169.254/", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_only_amazon_sns_itself_is_called(url: str, *, expected: bool) -> None:
    assert is_of_sns(url) is expected


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/",
        f"{HOST}/evil.pem",
        f"{HOST}/bucket{PATH}",
        f"{HOST}{PATH}/..",
        f"https://evil.example{PATH}",
        f"http://sns.eu-west-1.amazonaws.com{PATH}",
        None,
        7,
    ],
)
def test_a_certificate_is_taken_from_where_amazon_publishes_it_alone(url: object) -> None:
    with pytest.raises(SecretWrong, match="SigningCertURL is missing or does not lead to Amazon SNS"):
        certificate_url({"SigningCertURL": url})


def test_what_stands_behind_the_path_is_no_part_of_what_is_fetched() -> None:
    assert certificate_url({"SigningCertURL": f"{CERTIFICATE_URL}?x=1#y"}) == CERTIFICATE_URL
