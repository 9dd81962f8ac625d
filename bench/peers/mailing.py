"""Configurations in which each post is an incident, or a group, of its own, and is told of by mail at once."""

from tests.rooms import CONFIG

AT_ONCE = (
    CONFIG.replace("wait_time: 5m", "wait_time: 0")
    .replace("combine_alerts: true", "combine_alerts: false")
    .replace('subject: "Email is unavailable"', 'subject: "mark-{{ alert.entity_id }}-"')
    .replace("notify_employees: [jordan, sam]", "notify_employees: [jordan]")
)
"""Ours."""
ALERTMANAGER = """\
global:
  smtp_smarthost: "127.0.0.1:{port}"
  smtp_from: status@acme.example
  smtp_require_tls: false
route: {{receiver: jordan, group_by: [instance], group_wait: 0s, group_interval: 1h, repeat_interval: 24h}}
receivers:
  - name: jordan
    email_configs:
      - {{to: jordan@acme.example, headers: {{Subject: 'mark-{{{{ .CommonLabels.instance }}}}-'}}}}
"""
"""Alertmanager's, given the port of the SMTP server."""
