"""Where the shape of each payload in this folder comes from: the public page of the product's maker.

The contents are made up, and the shape is the page's. A payload that no page shows stands in MADE_UP, with the reason.
"""

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Final

_SNS: Final = "https://docs.aws.amazon.com/sns/latest/dg"
_GRAFANA: Final = "https://grafana.com/docs/grafana/latest/alerting"
_KUMA: Final = "https://github.com/louislam/uptime-kuma/blob/master/server"

SOURCES: Final[Mapping[str, str]] = {
    "alertmanager/*": "https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
    "datadog/*": "https://docs.datadoghq.com/integrations/webhooks/",
    "grafana/legacy_*": "https://grafana.com/docs/grafana/v7.5/alerting/notifications/#webhook",
    "grafana/*": f"{_GRAFANA}/configure-notifications/manage-contact-points/integrations/webhook-notifier/",
    "opsgenie/*": "https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/",
    "pagerduty/*": "https://github.com/PagerDuty/developer-docs/blob/main/docs/webhooks/01-Overview.md",
    "payloads/victorops_*": "https://help.victorops.com/knowledge-base/custom-outbound-webhooks/",
    "pingdom/*": "https://www.pingdom.com/resources/webhooks/",
    "sns/eventbridge.json": (
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"
    ),
    "sns/raw_delivery.json": f"{_SNS}/sns-large-payload-raw-message-delivery.html",
    "sns/subscription.json": f"{_SNS}/http-subscription-confirmation-json.html",
    "sns/*": f"{_SNS}/http-notification-json.html",
    "uptimekuma/*": f"{_KUMA}/notification-providers/webhook.js",
    "uptimerobot/*": "https://help.uptimerobot.com/en/articles/14498593-webhook-integration",
}
"""By the pattern of the file; the first that fits counts."""

MADE_UP: Final[Mapping[str, str]] = {
    "*/hostile_*": "What is of its maker's shape but for one thing, or of none.",
    "generic/*": "The shape is whatever config.yaml says.",
    "opsgenie/test.json": "The page shows the actions of alerts, and not what its button for a test posts.",
    "pagerduty/test.json": "The page has the envelope; of `pagey.ping` it shows no example.",
    "payloads/victorops_escalation.txt": "The variables are its maker's; form encoding was chosen by hand.",
    "pingdom/paused.json": "The page tells of UP and DOWN; PAUSED is a state that the API has.",
    "uptimerobot/number.json": "A body of one's own, in which the placeholder stands without quotes.",
    "uptimerobot/word_alone.json": "A placeholder that UptimeRobot left as it was.",
}
"""By the pattern of the file, why no page shows it."""


def source_of(file: str) -> str:
    """Give the page on which the shape of a file stands, or why it stands on none; "" where neither is known."""
    for pattern, told in (*MADE_UP.items(), *SOURCES.items()):
        if fnmatch(file, pattern):
            return told
    return ""
