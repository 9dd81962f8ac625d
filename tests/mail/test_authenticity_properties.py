"""Whatever stands in a mail, it is believed only on a pass that our own server wrote, in whatever form."""

from datetime import UTC, datetime
from itertools import takewhile

from hypothesis import example, given
from hypothesis import strategies as st

from service.config.settings import Authenticity, Policy, Profile
from service.mail.authenticity import Verdict, judge

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ALICE = "alice@corp.example"
OURS = "mx.acme.example"
GENERIC = Authenticity(Policy.REQUIRE, OURS)
OPENDMARC = Authenticity(Policy.REQUIRE, OURS, Profile.OPENDMARC)

Result = tuple[str, str, str]
"""Method, result, domain."""

RESULTS = st.sampled_from(["pass", "pass", "fail", "none", "temperror", "permerror", "bestguesspass"])
DOMAINS = st.sampled_from(
    ["corp.example", "corp.example", "example", "evil.example", "mail.corp.example", ""]
)
METHODS = st.sampled_from(["dmarc", "dmarc", "dkim", "dkim", "spf", "arc", "x-dkim", "compauth"])
FIELDS = st.lists(
    st.tuples(
        st.sampled_from([OURS, OURS, OURS, "mx.evil.example", ""]),
        st.lists(st.tuples(METHODS, RESULTS, DOMAINS), max_size=4),
    ),
    max_size=4,
)
GAPS = st.sampled_from([" ", "\r\n\t", " (a comment; (x=y)) ", " (\\)) ", "  "])


def verdict(raw: bytes, authenticity: Authenticity = GENERIC) -> Verdict:
    return judge(raw, ALICE, authenticity, lambda _name: None, now=NOW).verdict


def expected_verdict(fields: list[tuple[str, list[Result]]], *, all_vouch: bool) -> Verdict:
    """Say by the rules alone, without a header to read, what these fields prove."""
    own = [found for _, found in takewhile(lambda field: field[0] == OURS, fields)]
    words = {(method, result) for found in own for method, result, _ in found}
    if ("dmarc", "fail") in words:
        return Verdict.NO
    if ("compauth", "fail") in words:
        return Verdict.UNKNOWN
    results = [result for found in (own if all_vouch else own[:1]) for result in found]
    dmarc = {(result, domain) for method, result, domain in results if method == "dmarc"}
    if ("dmarc", "pass") in words and any(method == "dmarc" and result != "pass" for method, result in words):
        return Verdict.UNKNOWN
    if dmarc and ("dmarc", "pass") in words:
        return Verdict.YES if dmarc == {("pass", "corp.example")} else Verdict.UNKNOWN
    dkim = {(result, domain) for method, result, domain in results if method == "dkim"}
    failed = dkim & {("fail", "corp.example"), ("fail", "")}
    return Verdict.YES if ("pass", "corp.example") in dkim and not failed else Verdict.UNKNOWN


def write(data: st.DataObject, fields: list[tuple[str, list[Result]]]) -> bytes:
    """Write the fields as some server might: comments, folds, quotes and capitals where they mean nothing."""
    written = []
    for server, results in fields:
        segments = [server]
        for method, result, domain in results:
            name = "header.from" if method == "dmarc" else "header.d"
            value = data.draw(st.sampled_from([domain, domain.upper(), f'"{domain}"'])) if domain else ""
            stated = f"{name}={value}" if domain else ""
            shown = data.draw(st.sampled_from([method, method.upper()]))
            segments.append(f"{shown}={result}{data.draw(GAPS)}{stated}")
        value = f";{data.draw(GAPS)}".join(segments if server else segments[1:])
        written.append(f"Authentication-Results:{data.draw(GAPS)}{value}\r\n")
    written.append(f"DKIM-Signature: d=corp.example\r\nFrom: Alice <{ALICE}>\r\n\r\npublish\r\n")
    return "".join(written).encode()


@given(fields=FIELDS, data=st.data())
def test_the_form_changes_nothing_and_the_rules_decide(
    fields: list[tuple[str, list[Result]]], data: st.DataObject
) -> None:
    raw = write(data, fields)
    assert verdict(raw, GENERIC) is expected_verdict(fields, all_vouch=False)
    assert verdict(raw, OPENDMARC) is expected_verdict(fields, all_vouch=True)


FORGED = f"Authentication-Results: {OURS}; dmarc=pass header.from=corp.example\r\n"


@example(server="spf=pass", stranger=FORGED)
@example(server="dmarc=none", stranger=f"Received: by x\r\n{FORGED}")
@given(
    server=st.sampled_from(["none", "dmarc=none", "dkim=fail header.d=evil.example", "spf=pass"]),
    stranger=st.text('dmarc=pas;() "\\\t.hefokix-:\r\n', max_size=120)
    | st.lists(
        st.sampled_from(
            [
                "Authentication-Results: ",
                OURS,
                ";",
                "dmarc=pass",
                " header.from=corp.example",
                "\r\n",
                "(",
                '"',
            ]
        )
    ).map("".join),
)
def test_nothing_that_a_stranger_writes_below_makes_a_mail_believed(server: str, stranger: str) -> None:
    raw = f"Authentication-Results: {OURS}; {server}\r\n{stranger}From: {ALICE}\r\n\r\n".encode()
    assert verdict(raw) is not Verdict.YES


@example(local="x); dkim=pass header.d=corp.example (", method="dmarc=none header.from=corp.example")
@example(local="x); dmarc=pass header.from=corp.example (", method="dmarc=fail header.from=corp.example")
@example(local="x); dmarc=pass header.from=corp.example ((", method="dmarc=fail header.from=corp.example")
@example(local='x"; dmarc=pass header.from=corp.example;"', method="dmarc=none header.from=corp.example")
@given(
    local=st.text('()\\"; =dmarcpsfil.x@', max_size=60),
    method=st.sampled_from(
        ["dmarc=fail (p=REJECT) header.from=corp.example", "dmarc=none header.from=corp.example"]
    ),
)
def test_no_envelope_sender_that_a_server_repeats_unquoted_makes_a_mail_believed(
    local: str, method: str
) -> None:
    value = f"{OURS}; spf=none (domain of {local}@evil.example) smtp.mailfrom={local}@evil.example; {method}"
    raw = f"Authentication-Results: {value}\r\nFrom: {ALICE}\r\n\r\n".encode()
    assert verdict(raw) is not Verdict.YES


@given(
    raw=st.binary(max_size=500),
    sender=st.text(max_size=20),
    policy=st.sampled_from(Policy),
    profile=st.sampled_from(Profile),
)
def test_judging_never_raises_and_believes_no_noise(
    raw: bytes, sender: str, policy: Policy, profile: Profile
) -> None:
    authenticity = Authenticity(policy, "", profile)
    judgement = judge(raw, sender, authenticity, lambda _name: None, now=NOW)
    assert judgement.evidence.isprintable()
    assert (judgement.verdict is Verdict.YES) is (policy is Policy.TOKEN_ONLY)
