"""What each key of config.yaml means, in a sentence or two that editors show; by the form that the key is in.

For the JSON Schema alone: nothing is decided by it, and the service never loads it.
"""

from collections.abc import Mapping
from typing import Final

_FILE: Final = "A file that holds it, relative to config.yaml; instead of"
_STATES: Final = "its words for"
_OWN: Final = "Words of your own, beside those of `languages`, for"

DESCRIPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Form": {
        "site": "What the page is called, where readers reach it, and how it looks.",
        "database": "SQLite's file, relative to the directory that the service is started in, or PostgreSQL's address.",
        "database_password": "PostgreSQL's password, where `database` does not hold it.",
        "database_password_file": f"{_FILE} `database_password`.",
        "webhooks": (
            "The monitoring products that may post, by name: how each proves itself and is read. One that only a "
            "monitor's `provider` names may post too, without a secret."
        ),
        "mail": "How mails leave and come back. Left out: a sandbox takes every mail, and nothing leaves the machine.",
        "employees": "Those who are told of incidents, decide about them, and log in.",
        "components": "What the status page shows, in this order.",
        "monitors": "What becomes of an alert: each is a template for the incidents of one or several alert names.",
        "mail_alerts": "Mails that are alerts, to the same mailbox as replies; their provider is `email`.",
        "maintenance": "Planned work. It is taken over at the next start, or when the file is read anew.",
        "replies": "How notification mails may be answered.",
        "subscribers": "What subscribers may ask for.",
        "login": "How employees prove who they are.",
        "retention": "How long what is not needed any more is kept.",
        "watchdog": "After how long it is told that the service is kept from its work.",
        "metrics": "Who may read `/metrics` from elsewhere; without it, programs on this machine alone.",
        "secret_key": (
            "Signs links and reply tokens. Left out: a key is made once and kept in a file. Several instances "
            "need the same."
        ),
        "secret_key_file": f"{_FILE} `secret_key`.",
    },
    "SiteForm": {
        "name": "What stands on top of the page and in every mail.",
        "url": "How readers reach the page, at the root of a host name; every link in a mail begins with it.",
        "timezone": "In which times are shown in mails and, without a script, on pages.",
        "hide_authors": "Whether the page keeps to itself which employee wrote.",
        "export_to": "A folder, relative to config.yaml, to which the page is written as static files at each change.",
        "logo": "SVG, PNG, JPEG or WebP, relative to config.yaml, of at most 256 KiB.",
        "favicon": "The sign in the browser's tab: as `logo`.",
        "colours": "Of links and buttons.",
    },
    "ColoursForm": {
        "brand": "On light screens, in quotes since # begins a comment. It must be easy to read there.",
        "brand_dark": "On dark screens. Left out: a brighter shade of `brand`.",
    },
    "WebhookForm": {
        "secret": "What a post must carry. Empty: none is asked for, which only a test on one's own machine should do.",
        "secret_file": f"{_FILE} `secret`.",
        "signing_secret": "With what Grafana or PagerDuty signs its posts; one without a right signature is refused.",
        "signing_secret_file": f"{_FILE} `signing_secret`.",
        "topics": "Amazon SNS: whose messages are taken, by ARN. Left out: those of any topic.",
        "monitor_name": "What of an alert names the monitor: a Jinja expression over `item` and `post`.",
        "each": "`generic`: the list of alerts in a post, as a Jinja expression. Left out: a post is one alert.",
        "state": "`generic`: what of an alert says how it is, as a Jinja expression.",
        "entity_id": "`generic`: what pairs a recovery with its alert, as a Jinja expression.",
        "message": "`generic`: the text of an alert, as a Jinja expression.",
        "firing": f"`generic`: {_STATES} an alert that fires. Left out: the usual ones.",
        "recovered": f"`generic`: {_STATES} one that has recovered. Left out: the usual ones.",
        "acknowledged": f"`generic`: {_STATES} one that is acknowledged. Left out: the usual ones.",
    },
    "MailForm": {
        "from": "Whom mails come from; replies come back to it, with a token behind a plus sign.",
        "smtp": "The relay that takes our mails.",
        "imap": "The mailbox that replies arrive in. Left out: none is read; see `receive`.",
        "receive": "Your mail server hands replies over, instead of or beside `imap`.",
        "authenticity": "When a reply is believed to come from its sender.",
        "verp": "Whether each mail has an envelope sender of its own, by which bounces tell more.",
    },
    "SmtpForm": {
        "host": "The relay's name or address. It is greeted by the host of `site.url`, or the domain of `from`.",
        "port": "Left out: 25, 587 or 465, as `security` wants it.",
        "security": "`starttls` or `tls`; `none` is for a relay on this machine.",
        "username": "Left out: no login.",
        "password": "The password of `username`.",
        "password_file": f"{_FILE} `password`.",
        "auth": "How to log in: with a password, or with a token of Google's or Microsoft's (XOAUTH2).",
        "oauth": "What the token is asked for with, where `auth` is `google` or `microsoft365`.",
        "limits": "What updates to subscribers keep to.",
    },
    "LimitsForm": {
        "connections": (
            "Sessions at once, up to 50, of each instance. Mails to employees have as many of their own when many wait"
            " or the relay is slow, so set half of what a provider allows; where it refuses one of those, updates give"
            " one up."
        ),
        "mails_per_connection": "After how many mails a session is begun anew.",
        "rate": "Mails a second at most. Left out: as fast as it goes.",
    },
    "ImapForm": {
        "host": "The mail server's name or address.",
        "port": "Left out: 143 or 993, as `security` wants it.",
        "security": "`tls` or `starttls`; `none` is for a server on this machine.",
        "username": "Whose mailbox it is.",
        "password": "The password of `username`.",
        "password_file": f"{_FILE} `password`.",
        "auth": "How to log in: with a password, or with a token of Google's or Microsoft's (XOAUTH2).",
        "oauth": "What the token is asked for with, where `auth` is `google` or `microsoft365`.",
        "folder": "Where replies arrive.",
        "processed_folder": "Where they are moved once they are stored; it is made where it is missing.",
    },
    "OAuthForm": {
        "client_id": "The application as the provider knows it; for a Google service account its address.",
        "client_secret": "The application's secret; for a Google service account its PEM key.",
        "client_secret_file": f"{_FILE} `client_secret`.",
        "refresh_token": "In whose name the application reads. Left out: in its own.",
        "refresh_token_file": f"{_FILE} `refresh_token`. A token that the provider exchanges is kept there.",
        "tenant": "The company's directory, as `acme.onmicrosoft.com`; of `microsoft365` alone.",
        "token_url": "Where tokens are asked for. Left out: as is usual for the provider.",
        "scope": "What the token is for. Left out: as is usual for the provider.",
    },
    "ReceiveForm": {
        "protocol": "What your mail server speaks to us.",
        "host": "The address to listen at; only your mail server should reach it.",
        "port": "The port to listen at.",
        "certificate": "A PEM file beside config.yaml; with it and `key`, STARTTLS is offered.",
        "key": "The certificate's key, a PEM file.",
    },
    "AuthenticityForm": {
        "policy": (
            "`require`: DMARC or DKIM must vouch, else a confirmation is asked for. `token_only`: the token is "
            "enough. Left out: `require` where the rest of this section tells whose word counts."
        ),
        "authserv_id": "The name with which your mail server begins its Authentication-Results.",
        "profile": "Your mail system; `google`, `microsoft365` and `fastmail` need no `authserv_id`.",
    },
    "EmployeeForm": {
        "id": "The name used in this file.",
        "name": "The name that others read.",
        "email": "Where notifications go; replies count only from here.",
        "role": "A `viewer` looks, a `publisher` decides, an `admin` may do everything.",
    },
    "ComponentForm": {
        "name": "What readers call it, and what it is known by: docs/subscribers.md says how to rename one.",
        "group": "Its heading on the page. Left out: it stands alone.",
        "description": "A few words on what it is.",
    },
    "MonitorForm": {
        "provider": "The monitoring product.",
        "alert_name": (
            "Its name there, a list of them, or a pattern with * and ?. An exact name comes first, then one that "
            'differs in case or white space only, then patterns, which look at neither; "*" takes what is left.'
        ),
        "authored_by": "The employee whose name stands under the updates, by `id`.",
        "type": "`informational`, `performance`, `service_unavailable`, or a word of your own.",
        "affected_components": "How components are shown while it lasts; a list of names alone means `partial_outage`.",
        "subject": "The incident's subject: a Jinja template; docs/templates.md tells what it may name.",
        "message": "What the page and the subscribers get to read: Markdown, as a Jinja template.",
        "notify_employees": "Who is told, and may decide by answering; by `id`.",
        "wait_time": "Recovered within it: nobody is told. 0: no waiting.",
        "combine_alerts": "Whether further alerts join the open incident; if not, each opens one of its own.",
        "auto_publish": "Whether it is published when the wait time is over, without an employee.",
        "auto_close": "Whether it is closed once every alert has recovered.",
        "closing_comment": "The last update, when it is closed: Markdown, as a Jinja template.",
        "recovery_grace": "How long it stays open after recovery, in case it fires again. 0: it is closed at once.",
        "warning_fires": "Whether VictorOps' state WARNING fires; if not, it is recorded and does nothing.",
        "escalate": "Steps, each so long after the first mail, until somebody decides.",
        "remind_every": (
            "How often those who were asked are asked again; once it is public, how long after the last update "
            "they are reminded to tell more. Left out: never."
        ),
        "approvals": "How many employees must say publish; with more than one, nothing publishes by itself.",
        "if_recovered_unpublished": "What becomes of it when all alerts recover before anybody published it.",
        "audience": "Groups of subscribers who hear of it. None named: everybody.",
    },
    "RungForm": {
        "after": "How long after the first mail.",
        "notify": "Who is asked as well, by `id`. Left out, and without `then`: all are reminded.",
        "then": "At last `publish`, `discard`, or `leave`: it waits on, without mails.",
    },
    "MailPatternForm": {
        "sender": "From whom: an address, or a pattern with * and ?.",
        "subject": "A regular expression with the groups `monitor` and `state` and, where there is one, `entity`.",
        "firing": f"{_STATES[:1].upper()}{_STATES[1:]} an alert that fires. Left out: the usual ones.",
        "recovered": f"{_STATES[:1].upper()}{_STATES[1:]} one that has recovered. Left out: the usual ones.",
        "acknowledged": f"{_STATES[:1].upper()}{_STATES[1:]} one that is acknowledged. Left out: the usual ones.",
        "authentic": "Whether the sender must be proven; if not, one is believed that nothing disproves.",
    },
    "MaintenanceForm": {
        "subject": "What the work is.",
        "message": "What readers are told of it, in Markdown.",
        "components": "What it concerns; alerts about it are kept back. Left out: everybody, and none is kept back.",
        "starts_at": "When it begins, in the site's time zone or with an offset.",
        "ends_at": "When it ends; or give `duration`.",
        "duration": "How long it takes; or give `ends_at`.",
        "remind": "How long before it begins subscribers are reminded. Left out: not at all.",
        "closing_comment": "The last update, when it is over, in Markdown.",
        "audience": "Groups of subscribers who hear of it. Left out: everybody.",
    },
    "RepliesForm": {
        "token_lifetime": "How long a notification mail can be answered.",
        "languages": "Whose words count: en, de, fr, es, pt, it, nl, pl, sv, da, no, fi, ru, ja, zh.",
        "words": "Words of your own, by what they order.",
        "any_reply_publishes": "Whether any answer publishes, save one that says no, stop, wait, or asks.",
    },
    "WordsForm": {
        "publish": f"{_OWN} publishing the incident.",
        "discard": f"{_OWN} discarding it, so that nobody outside hears of it.",
        "hold": f"{_OWN} letting nothing happen by itself for a while.",
        "update": f"{_OWN} posting what follows as an update.",
        "close": f"{_OWN} closing it.",
        "status": f"{_OWN} asking how it stands.",
        "help": f"{_OWN} asking what can be answered.",
    },
    "SubscribersForm": {
        "private_webhooks": "Whether subscribers' webhooks may be at addresses of your own network, as 10.0.0.7.",
    },
    "LoginForm": {
        "mail_link": "Whether employees may log in by a link that is mailed to them.",
        "oidc": "They log in with your identity provider (OpenID Connect).",
    },
    "OidcForm": {
        "name": "What the button says.",
        "issuer": "The provider's address; let it send employees back to SITE/login/oidc/callback.",
        "client_id": "Our name with the provider.",
        "client_secret": "Our secret with the provider.",
        "client_secret_file": f"{_FILE} `client_secret`.",
        "scopes": "What is asked of the provider; the e-mail address says which employee it is.",
        "trust_unverified_email": "Whether an address is believed that the provider does not say it has verified.",
    },
    "RetentionForm": {
        "audit": "How long it is kept what people did: log-ins, tokens, lists of subscribers.",
        "inbox": "How long the bodies of posts and mails are kept that were worked off.",
        "alerts": "How long posts and their alerts are listed; what an open incident is made of stays.",
        "deliveries": "How long each mail and call is listed with its recipient; how many they were stays.",
    },
    "WatchdogForm": {
        "no_webhook_for": "No provider has posted anything for so long; `off`: never told.",
        "mailbox_unread_for": "The mailbox could not be read to its end for so long; `off`: never told.",
        "outbox_older_than": "The oldest mail or call has waited for so long to be sent; `off`: never told.",
    },
    "MetricsForm": {
        "token": "The bearer token that whoever reads `/metrics` must offer.",
        "token_file": f"{_FILE} `token`.",
    },
}  # fmt: skip
