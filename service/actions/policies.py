"""What is wanted of an incident, and whose approvals of it count: by its monitor, its components and the employees."""

from dataclasses import replace

from service.actions.house import House
from service.model import IfRecovered, Incident, LastResort, Monitor
from service.workflow import Policy


def policy_of(monitor: Monitor | None) -> Policy:
    """Take from a monitor what it wants; one that is no longer configured wants nothing by itself."""
    if monitor is None:
        return Policy(auto_publish=False, auto_close=False)
    return Policy(
        wait=monitor.wait_time,
        auto_publish=monitor.auto_publish,
        auto_close=monitor.auto_close,
        recovery_grace=monitor.recovery_grace,
        ladder=monitor.escalate,
        remind_every=monitor.remind_every,
        approvals=monitor.approvals,
        if_recovered=monitor.if_recovered_unpublished,
    )


def policy_for(house: House, incident: Incident) -> Policy:
    """Give what is wanted of an incident: what its monitor wants or, where it was opened blank, nothing by itself.

    A component that its monitor does not name, or that a blank one has, asks for as many approvals as the strictest
    monitor of that component, so that nobody gets round a two-person rule by writing or editing the incident by hand.
    Where these are more than the monitor wants, nor is it published by itself.
    """
    return policy_by(house, house.config.monitor_for(incident.monitor_key), incident)


def policy_by(house: House, own: Monitor | None, incident: Incident) -> Policy:
    """Give the same where the incident's monitor is known; None: it has none, or config.yaml has it no more."""
    policy = policy_of(own)
    added = incident.components.keys() - (own.affected_components.keys() if own else set())
    if not added:
        return policy
    concerned = [one.approvals for one in house.config.monitors if one.affected_components.keys() & added]
    needed = max((policy.approvals, *concerned))
    return policy if needed == policy.approvals else _by_persons(replace(policy, approvals=needed))


def _by_persons(policy: Policy) -> Policy:
    rungs = (
        replace(one, then=LastResort.LEAVE) if one.then is LastResort.PUBLISH else one
        for one in policy.ladder
    )
    publishes = policy.if_recovered is IfRecovered.PUBLISH_RESOLVED
    if_recovered = IfRecovered.KEEP if publishes else policy.if_recovered
    return replace(policy, auto_publish=False, ladder=tuple(rungs), if_recovered=if_recovered)


def with_approvals_that_count(house: House, incident: Incident) -> Incident:
    """Leave out the approvals of those who may not publish any more, and of tokens, which are no persons.

    Of what was published long ago nothing is left out: it tells who published it.
    """
    if incident.phase.is_public or not incident.phase.is_open:
        return incident
    employees = map(house.employee, incident.approved_by)
    counting = tuple(one.id for one in employees if one is not None and one.may_publish)
    return incident if counting == incident.approved_by else replace(incident, approved_by=counting)
