"""Where the examples of the documentation are run: a folder with a config.yaml, and a service with something going on.

The names, numbers and dates of the examples are there; ports, folders and hosts are put in their places.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from tests.mailservers.processes import free_port
from tests.mailservers.servers import MailServers

SERVE: Final = "replycast serve --config config.yaml --port 8080"
POSTS: Final = 18
"""Of each one an incident: enough for the highest number that an example names."""
OWN: Final = "status@acme.example"

_CONFIG: Final = """\
site: {name: Acme Status, url: "http://127.0.0.1:8080"}
subscribers: {private_webhooks: true}
webhooks:
  victorops: {secret_file: victorops.secret}
employees:
  - {id: jordan, name: Jordan Ray, email: jordan@acme.example, role: admin}
  - {id: sam, name: Sam Okoye, email: sam@acme.example}
components: [{name: Email}, {name: API}]
monitors:
  - alert_name: Email Server
    authored_by: jordan
    type: service_unavailable
    affected_components: [Email]
    subject: Email is unavailable
    message: We are looking into it.
    notify_employees: [jordan]
    combine_alerts: false
    closing_comment: Email works again.
    audience: [Partners]
"""
_FIRING: Final = '{monitorName: "Email Server", state: "CRITICAL"}'
_FILES: Final = {
    "victorops.secret": "a-secret-made-up-for-the-examples\n",
    "payload.json": f"{_FIRING}\n",
    "answer.eml": "From: jordan@acme.example\nTo: status@acme.example\nSubject: Re: it\n\npublish\n",
    "mail.eml": "From: jordan@acme.example\nTo: status@acme.example\nSubject: Re: it\n\ndiscard\n",
    "key.json": json.dumps({"private_key": "-----BEGIN PRIVATE KEY-----\nmade up\n"}),
}
_CURL: Final = (
    "curl --silent --show-error --fail-with-body --retry 60 --retry-delay 1 --retry-all-errors --output"
)
_SEND: Final = (
    f'{_CURL} sent.json --header "Authorization: Bearer $TOKEN" --header Content-Type:application/json'
)
_PLAN: Final = json.dumps(
    {
        # each is another one; the quotes let the shell write its number
        "subject": "Disks '$plan'",
        "message": "New ones.",
        "starts_at": "2026-12-01T20:00:00Z",
        "ends_at": "2026-12-01T21:00:00Z",
    }
)
_STARTED: Final = f"""\
{SERVE} >replycast.log 2>&1 &
SERVICE=$!
URL=http://127.0.0.1:8080
{_CURL} ready.json $URL/readyz
"""
_BUSY: Final = f"""\
{_STARTED}for post in $(seq {POSTS}); do
  {_CURL} post.json $URL/webhook/victorops --header "X-Replycast-Secret: $(cat victorops.secret)" --data '{_FIRING}'
done
TOKEN=$(replycast token create release --json --scope incidents:read --scope incidents:write \\
  --scope maintenance:write --scope config:reload | sed -n 's/.*"token": "\\(.*\\)".*/\\1/p')
{_CURL} incident.json $URL/api/v1/incidents/{POSTS} --header "Authorization: Bearer $TOKEN"
{_SEND} $URL/api/v1/incidents/7/publish --data '{{"text_version": 1}}'
for plan in 1 2 3; do
  {_SEND} $URL/api/v1/maintenance --data '{_PLAN}'
done
replycast backup backups/replycast-2026-11-24.tar.gz
cp backups/replycast-2026-11-24.tar.gz BACKUP.tar.gz
"""
_TARGET: Final = re.compile(r"""--to +("[^"]*"|\S+)""")
_ALONE: Final = re.compile(r"replycast accept-key\b")
"""What is refused while the service runs."""
_MAKES: Final = re.compile(r"^replycast (init|restore|demo)\b|> victorops.secret")
_ASKS: Final = re.compile(r"replycast (publish|replay) ")
_PORT: Final = str(free_port())
_END: Final = "kill $SERVICE\nwait $SERVICE\n"


def busy(texts: Sequence[str], folder: Path) -> list[str]:
    """Give the script that runs examples beside a service with incidents, posts, planned work and backups."""
    _write(folder, _CONFIG)
    beside = [text for text in texts if not _ALONE.match(text)]
    alone = [text for text in texts if _ALONE.match(text)]
    return [_placed(text, folder) for text in (_BUSY, *_each(beside), _END, *alone)]


def with_mail(texts: Sequence[str], folder: Path, servers: MailServers) -> list[str]:
    """Give the script that runs examples with mail servers."""
    imap = servers.imap_for(OWN)
    login = f"username: {OWN}, password_file: imap.password"
    (folder / "imap.password").write_text(imap.password.reveal())
    (folder / "imap.password").chmod(0o600)
    mail = f"""\
mail:
  from: "Acme Status <{OWN}>"
  smtp: {{host: 127.0.0.1, port: {servers.smtp.port}, security: none}}
  imap: {{host: 127.0.0.1, port: {imap.port}, security: none, {login}}}
  authenticity: {{authserv_id: mx.acme.example}}
"""
    _write(folder, mail + _CONFIG)
    return [_placed(text, folder) for text in (_STARTED, *_each(texts), _END)]


def with_postgresql(texts: Sequence[str], folder: Path, addresses: Iterator[str]) -> list[str]:
    """Give the script that runs examples beside a database of SQLite, with an empty one of PostgreSQL for each."""
    _write(folder, _CONFIG)
    made = f"{_STARTED}{_END}"
    named = f"""sed --in-place '1i database: "{next(addresses)}"' config.yaml\n"""
    moved = [
        _TARGET.sub(lambda _: f'--to "{next(addresses)}"', text) for text in texts if _TARGET.search(text)
    ]
    others = [text for text in texts if not _TARGET.search(text)]
    return [_placed(text, folder) for text in (made, *moved, named, *others)]


def _write(folder: Path, config: str) -> None:
    (folder / "backups").mkdir()
    for name, text in {**_FILES, "config.yaml": config}.items():
        (folder / name).write_text(_placed(text, folder))
        (folder / name).chmod(0o600)


def _each(texts: Sequence[str]) -> Iterator[str]:
    """Give each example a folder of its own where it makes what is there already, and an answer where it asks."""
    for number, text in enumerate(texts):
        if _MAKES.search(text):
            yield f"mkdir own{number}\ncp victorops.secret own{number}\n(cd own{number}\n{text})\n"
        elif _ASKS.match(text):
            yield f"{{\n{text}}} <<<yes\n"
        else:
            yield text


def _placed(text: str, folder: Path) -> str:
    """Put what differs from machine to machine, and from day to day, in the place of what an example names."""
    today = date.today()  # noqa: DTZ011  the day that the service's own log has
    places = {
        "8080": _PORT,
        "/var/backups/": f"{folder}/backups/",
        "BACKUP.tar.gz": f"{folder}/BACKUP.tar.gz",
        "2026-11-23": f"{today}",
        "2026-12-01": f"{today + timedelta(days=7)}",
        "2026-12-02": f"{today + timedelta(days=8)}",
        "you@acme.example": "jordan@acme.example",
    }
    named = rf"(?<!\d)(?:{'|'.join(map(re.escape, places))})(?!\d)"  # and no part of another port
    return re.sub(named, lambda found: places[found[0]], text)
