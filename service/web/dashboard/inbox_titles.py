"""What the list of the inbox calls a post or a mail: what it is about, or whose it is. Pure."""

from collections.abc import Callable, Mapping
from email.utils import parseaddr

from service.config import Config
from service.model import Employee, Role
from service.store.inbox_firsts import FirstAlert
from service.store.inbox_headlines import Headline
from service.store.inbox_rows import Door
from service.web.front import in_words


def titles_for(
    employee: Employee, config: Config, firsts: Mapping[int, FirstAlert]
) -> Callable[[Headline], str]:
    """Give what an employee reads as the title of an arrival; whose mail it was is for admins, save a colleague's."""

    def title(row: Headline) -> str:
        first = firsts.get(row.id)
        if first is not None:
            return f"{first.monitor_name}: {first.state}{_and_more(first.others)}"
        if row.door is Door.WEBHOOK:
            return f"Post from {row.provider}"
        return _of_mail(row, config, is_admin=employee.role is Role.ADMIN)

    return title


def _and_more(others: int) -> str:
    return f" and {others:,} more" if others else ""


def _of_mail(row: Headline, config: Config, *, is_admin: bool) -> str:
    address = parseaddr(row.sender)[1]
    colleague = config.employee_by_email(address)
    if colleague is not None:
        return f"{colleague.name}: {in_words(row.reason)}" if row.reason else f"Mail from {colleague.name}"
    return f"Mail from {address}" if address and is_admin else "Mail"
