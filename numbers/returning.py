"""Returning numbers: they leave the inventory for good and rest before anybody else gets them (rules L7 and O2).

| from     | verb           | to       |
|----------|----------------|----------|
| inactive | return_numbers | returned |
"""

from collections.abc import Sequence
from datetime import datetime

from numbers import attachments, effects, messages, outcomes, pool, port_out
from numbers.models import LockedNumber, NumberState, PhoneNumber
from numbers.outcomes import Outcome, Reason
from portal import audit
from portal.models import User


def return_numbers(numbers: Sequence[LockedNumber], *, by: User, at: datetime) -> list[Outcome]:
    """Give inactive numbers back, irrevocably; numbers of the operator's pool then rest (rule O2).

    Returns one outcome per number: done, or refused with its reason (working, in porting, gone already).
    """
    effects.settle(numbers, at=at)
    promised = port_out.leaving([number.pk for number in numbers])  # another provider gets these, not the pool
    found = [
        outcomes.refused(number.pk, Reason.LEAVING)
        if number.pk in promised
        else refusal(number, at=at) or outcomes.done(number.pk)
        for number in numbers
    ]
    leaving = [n for n in numbers if n.state == NumberState.INACTIVE and n.pk not in promised]
    if leaving:
        snapshots = attachments.detach(leaving, by_swap=False, by=by, at=at)
        PhoneNumber.objects.filter(pk__in=[number.pk for number in leaving]).update(state=NumberState.RETURNED)
        for number in leaving:
            number.state = NumberState.RETURNED
        until = pool.rest([number.e164 for number in leaving], at=at)
        before = {"state": NumberState.INACTIVE}
        entries = [
            audit.Entry("number", n.pk, n.e164, snapshots.get(n.pk, {}) | before, {"state": NumberState.RETURNED})
            for n in leaving
        ]
        audit.record("number.returned", entries, by=by, at=at, tenant_id=leaving[0].tenant_id)
        messages.confirm("numbers/returned", leaving, by=by, at=at, rests_until=until.date())
    return found


def refusal(number: PhoneNumber, *, at: datetime) -> Outcome | None:
    """Return why this number cannot be returned, or None if it can."""
    state = number.state_at(at)
    if state == NumberState.INACTIVE:
        return None
    reasons = {
        NumberState.ACTIVE: Reason.STILL_ACTIVE,
        NumberState.DEACTIVATION_SCHEDULED: Reason.STILL_ACTIVE,
        NumberState.PORT_IN_PENDING: Reason.PORTING,
    }
    return outcomes.refused(number.pk, reasons.get(state, Reason.GONE))
