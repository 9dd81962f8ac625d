"""One subscriber over the API: added, and given other components or groups. What becomes of it the actions decide."""

from collections.abc import Collection, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from service.actions import subscribers_by_hand
from service.actions.api_tokens import Scope
from service.actions.subscribers_by_hand import UNSAID, AlreadyKnown
from service.calls.calling import UrlUnusable
from service.config.settings import Config
from service.errors import AddressInvalid, NotFound
from service.store import subscribers
from service.web.api.forms import Body, Called, Names, example
from service.web.api.operations import Call, Operation
from service.web.api.problems import FieldFault, Problem, problem_of, refused_fields
from service.web.api.shown import SubscriberShown

LONGEST_ADDRESS: Final = 2_000
"""Characters."""


class SubscriberBody(Body):
    """An address or a webhook that shall hear of incidents."""

    model_config = example(
        address="ida@reader.example", components=["Email"], groups=["Partners"], have_agreed=True
    )
    address: Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS), AfterValidator(str.strip)] = (
        Field(description="An e-mail address, or a webhook's URL.")
    )
    channel: Called | None = Field(
        default=None, description="In which form a webhook is told; null: its host tells."
    )
    components: Names | None = Field(default=None, description="It hears of these; null: of all.")
    groups: Names = ()
    have_agreed: bool = Field(
        default=False,
        description="Its owner agreed to get these mails: nobody is asked to confirm. A webhook is never asked.",
    )


class ChoicesBody(Body):
    """What a subscriber shall hear of from now on; what is left out stays."""

    model_config = example(components=["Email"], groups=["Partners", "Gold"])
    components: Names | None = Field(default=None, description="It hears of these; null: of all.")
    groups: Names = Field(default=(), description="All groups that it shall be in.")


def add_subscriber(call: Call) -> SubscriberShown | Problem:
    """Add an address, which is asked to confirm unless it agreed elsewhere, or a webhook, which hears at once."""
    said = call.said(SubscriberBody)
    refuse_unknown(said.components, _configured(call.house.config))
    try:
        added = subscribers_by_hand.add(
            call.house,
            said.address,
            call.by,
            call.now,
            channel=said.channel,
            components=said.components or None,
            groups=said.groups,
            have_agreed=said.have_agreed,
        )
    except AlreadyKnown as error:
        return problem_of(409, str(error), reason=error.known)
    except UrlUnusable as error:
        raise refused_fields([FieldFault(detail=f"this URL {error}", pointer="/address")]) from error
    except AddressInvalid as error:
        raise refused_fields([FieldFault(detail=str(error), pointer="/address")]) from error
    return SubscriberShown.model_validate(added)


def change_subscriber(call: Call) -> SubscriberShown:
    """Give a subscriber other components or groups."""
    said, number = call.said(ChoicesBody), call.ids["id"]
    with call.house.store.reading() as connection:
        found = subscribers.get(connection, number)
    if found is None:
        raise NotFound(f"there is no subscriber {number}")
    # what it chose before config.yaml lost it may stay
    refuse_unknown(said.components, {*_configured(call.house.config), *(found.components or ())})
    changed = subscribers_by_hand.change(
        call.house,
        number,
        call.by,
        call.now,
        components=said.components or None if "components" in said.model_fields_set else UNSAID,
        groups=said.groups if "groups" in said.model_fields_set else UNSAID,
    )
    return SubscriberShown.model_validate(changed)


def refuse_unknown(names: Sequence[str] | None, known: Collection[str]) -> None:
    """Raise Refused with each name of the body's `components` that is none of the known ones."""
    faults = [
        FieldFault(
            detail=f"there is no component `{name}`: name one of config.yaml", pointer=f"/components/{at}"
        )
        for at, name in enumerate(names or ())
        if name not in known
    ]
    if faults:
        raise refused_fields(faults)


def _configured(config: Config) -> frozenset[str]:
    return frozenset(one.name for one in config.components)


OPERATIONS = (
    Operation(
        "POST",
        "/subscribers",
        Scope.SUBSCRIBERS_WRITE,
        add_subscriber,
        "Add a subscriber",
        SubscriberShown,
        SubscriberBody,
        status=201,
    ),
    Operation(
        "PATCH",
        "/subscribers/{id}",
        Scope.SUBSCRIBERS_WRITE,
        change_subscriber,
        "Change what a subscriber hears of",
        SubscriberShown,
        ChoicesBody,
    ),
)
