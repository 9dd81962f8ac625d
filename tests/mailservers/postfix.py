"""A Postfix of our own: SMTP on a loopback port, delivering known addresses on loopback and nothing anywhere else."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.config.settings import Secret, Security, Smtp
from tests.mailservers import processes

_MAIN = """
compatibility_level = 3.6
config_directory = {directory}
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/postfix.log
maillog_file_prefixes = {directory}
multi_instance_name =
myhostname = mx.acme.example
mydomain = acme.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = acme.example
virtual_mailbox_maps = texthash:{directory}/recipients
virtual_transport = lmtp:inet:127.0.0.1:{lmtp_port}
transport_maps = texthash:{directory}/transport
recipient_delimiter = +
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_soft_error_limit = 1000
smtpd_tls_security_level = may
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtp_host_lookup = native
notify_classes =
biff = no
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
message_size_limit = 10485760
"""

_MASTER = """
127.0.0.1:{smtp_port} inet n - n - - smtpd
127.0.0.1:{submission_port} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o max_use=1
127.0.0.1:{submissions_port} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o max_use=1
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
lmtp unix - - n - - lmtp
encrypted unix - - n - - smtp
  -o smtp_tls_security_level=encrypt
  -o smtp_tls_loglevel=1
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """A Postfix that runs, or was stopped for an outage and can be started again on the same ports."""

    directory: Path
    smtp_port: int = field(default_factory=processes.free_port)
    submission_port: int = field(default_factory=processes.free_port)
    """Where a login is offered; it works only while Dovecot, which checks passwords, is up.

    Each client gets a process of its own (max_use), for none may believe in a Dovecot that was restarted."""
    submissions_port: int = field(default_factory=processes.free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = processes.find_program("postfix", "postfix")
        master = processes.find_program("master", "postfix")
        subprocess.run([program, "-c", str(self.directory), "check"], check=True, capture_output=True)
        self.process = processes.start(
            [master, "-c", str(self.directory), "-d"],
            ports=[self.smtp_port, self.submission_port, self.submissions_port],
            log=self.directory / "master.log",
        )

    def stop(self) -> None:
        """End it; what it has queued stays queued."""
        if self.process is not None:
            processes.stop(self.process)
            self.process = None

    def route(self, nexthops: Mapping[str, str]) -> None:
        """Deliver these addresses, and their plus forms, elsewhere from now on, and all others to Dovecot.

        A next hop is `lmtp:inet:127.0.0.1:PORT`, or `encrypted:[127.0.0.1]:PORT`, which is SMTP that goes on
        only after STARTTLS (transport(5)). A Postfix that runs is started anew, since it reads the table once.
        """
        lines = (f"{address} {nexthop}\n" for address, nexthop in nexthops.items())
        (self.directory / "transport").write_text("".join(lines))
        if self.process is not None:
            self.stop()
            self.start()

    def flush(self) -> None:
        """Have it try all again that it put off, now, and where it had given a destination up for a while as well."""
        program = processes.find_program("postqueue", "postfix")
        subprocess.run([program, "-c", str(self.directory), "-f"], check=True, capture_output=True)

    def log(self) -> str:
        """Give what it has logged so far."""
        return (self.directory / "postfix.log").read_text()

    def smtp(self) -> Smtp:
        """Give the settings that send through it without a login."""
        return Smtp(processes.LOOPBACK, self.smtp_port, Security.NONE)

    def submission(self, security: Security, *, username: str, password: str) -> Smtp:
        """Give the settings that log in."""
        port = self.submissions_port if security is Security.TLS else self.submission_port
        return Smtp(processes.LOOPBACK, port, security, username, Secret(password))


def configure(
    directory: Path, addresses: Sequence[str], cert: Path, key: Path, *, lmtp_port: int, auth_port: int
) -> Postfix:
    """Write the configuration of a Postfix that knows the addresses; raise ServersMissing without one."""
    processes.find_program("postfix", "postfix")
    postfix = Postfix(directory)
    for name in ("queue", "data"):
        (directory / name).mkdir()
    shutil.chown(directory / "data", "postfix")
    (directory / "recipients").write_text("".join(f"{address} known\n" for address in addresses))
    postfix.route({})
    main = _MAIN.format(directory=directory, cert=cert, key=key, lmtp_port=lmtp_port, auth_port=auth_port)
    (directory / "main.cf").write_text(main)
    master = _MASTER.format(
        smtp_port=postfix.smtp_port,
        submission_port=postfix.submission_port,
        submissions_port=postfix.submissions_port,
    )
    (directory / "master.cf").write_text(master)
    return postfix
