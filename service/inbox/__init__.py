"""Takes in raw posts and raw mails, and hands them on in order; it never looks at what they mean."""

from service.inbox.at_once import receive_and_work_off, receive_post_with_effect, receive_with_effect
from service.inbox.mails import content_key, last_uid, receive_handed, receive_mails, uid_prefix
from service.inbox.posts import PostIntake
from service.inbox.working_off import (
    STRIKES,
    Effect,
    work_off,
    work_off_posts,
)

__all__ = [
    "STRIKES",
    "Effect",
    "PostIntake",
    "content_key",
    "last_uid",
    "receive_and_work_off",
    "receive_handed",
    "receive_mails",
    "receive_post_with_effect",
    "receive_with_effect",
    "uid_prefix",
    "work_off",
    "work_off_posts",
]
