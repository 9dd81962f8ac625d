"""What every action needs to know: the store, the configuration, and who we are. It does nothing itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.config.settings import Config
from service.model import AUTOMATIC, Employee
from service.store.database import Store


@dataclass(frozen=True, slots=True)
class House:
    """Built once by `app` and handed to whoever acts."""

    store: Store
    config: Config
    key: bytes
    """Derives every token; 32 random bytes that never leave this machine."""
    own_address: str
    """The address that our mails come from and that replies go back to."""
    instance_id: str
    """What our own mails are recognised by."""
    new_id: Callable[[], str]
    """Gives 32 random hexadecimal digits."""

    @property
    def names(self) -> Mapping[str, str]:
        """The employees' names by id."""
        return {employee.id: employee.name for employee in self.config.employees.values()}

    def name_of(self, by: str) -> str:
        """Give the name of whoever did something."""
        if by == AUTOMATIC:
            return "automatically"
        employee = self.config.employees.get(by)
        return employee.name if employee else by

    def employee(self, employee_id: str | None) -> Employee | None:
        """Find an employee by id, if he is still one."""
        return self.config.employees.get(employee_id or "")
