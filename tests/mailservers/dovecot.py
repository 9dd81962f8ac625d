"""A Dovecot of our own: IMAP and LMTP on loopback ports, users from a file, Maildir in a temporary directory."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.config.settings import Imap, Secret, Security
from tests.mailservers import processes

PASSWORD = 'öffne "dich"'
PREFIXED = "legacy"
"""The user of this name has a server that wants `INBOX.` before every folder, as Courier and old Cyrus do."""

_CONFIG = """
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
instance_name = replycast-tests
first_valid_uid = 1
mail_location = maildir:~/Maildir
mailbox_idle_check_interval = 1s
mail_max_userip_connections = 500
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
lmtp_hdr_delivery_address = final
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {directory}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {directory}/users
}}
userdb {{
  driver = passwd-file
  args = {directory}/users
  default_fields = uid=nobody gid=nogroup home={directory}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = .
}}
service imap-login {{
  inet_listener imap {{
    address = {imap_addresses}
    port = {imap_port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {auth_port}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@acme.example
}}
"""

_OAUTH2 = """
introspection_mode = get
introspection_url = http://127.0.0.1:{oauth_port}/introspect?access_token=
username_attribute = email
active_attribute = active
active_value = true
"""


@dataclass
class Dovecot:
    """A Dovecot that runs, or was stopped for an outage and can be started again on the same ports."""

    directory: Path
    imap_port: int = field(default_factory=processes.free_port)
    imaps_port: int = field(default_factory=processes.free_port)
    lmtp_port: int = field(default_factory=processes.free_port)
    auth_port: int = field(default_factory=processes.free_port)
    oauth_port: int = field(default_factory=processes.free_port)
    """Where it asks about access tokens: a test that uses some runs an OAuth server there."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = processes.find_program("dovecot", "dovecot-imapd dovecot-lmtpd")
        self.process = processes.start(
            [program, "-F", "-c", str(self.directory / "dovecot.conf")],
            ports=[self.imap_port, self.imaps_port, self.lmtp_port, self.auth_port],
            log=self.directory / "dovecot.log",
        )

    def stop(self) -> None:
        """End it; what it holds in its Maildirs stays."""
        if self.process is not None:
            processes.stop(self.process)
            self.process = None

    def kill(self) -> None:
        """End all its processes without a word, as a power cut does; `start` starts it again."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(processes.PATIENCE)
            self.process = None

    def maildir(self, address: str) -> Path:
        """Give the place of this address's mails; a test may fill it before the mailbox is first used."""
        return self.directory / "mail" / address / "Maildir"

    def imap_for(self, address: str, *, security: Security = Security.NONE) -> Imap:
        """Give the settings that read this address's mailbox."""
        port = self.imaps_port if security is Security.TLS else self.imap_port
        return Imap(processes.LOOPBACK, port, security, address, Secret(PASSWORD))


def configure(
    directory: Path, addresses: Sequence[str], cert: Path, key: Path, *, also_at: str = ""
) -> Dovecot:
    """Write the configuration of a Dovecot with a mailbox for each address; raise ServersMissing without one.

    `also_at` is an address besides the loopback at which IMAP is spoken.
    """
    processes.find_program("dovecot", "dovecot-imapd dovecot-lmtpd")
    dovecot = Dovecot(directory)
    (directory / "mail").mkdir()
    shutil.chown(directory / "mail", "nobody", "nogroup")
    users = [
        f"{address}:{{PLAIN}}{PASSWORD}::::::"
        + ("userdb_namespace/inbox/prefix=INBOX." if address.startswith(PREFIXED) else "")
        for address in addresses
    ]
    (directory / "users").write_text("\n".join(users) + "\n")
    (directory / "users").chmod(0o644)
    ports = {name: getattr(dovecot, name) for name in ("imap_port", "imaps_port", "lmtp_port", "auth_port")}
    (directory / "oauth2.conf").write_text(_OAUTH2.format(oauth_port=dovecot.oauth_port))
    config = _CONFIG.format(
        directory=directory,
        cert=cert,
        key=key,
        imap_addresses=" ".join(dict.fromkeys((processes.LOOPBACK, also_at))).strip(),
        **ports,
    )
    (directory / "dovecot.conf").write_text(config)
    return dovecot
