"""Numbers that leave for another provider (rule P7).

| from      | verb                | to        | effect                                                       |
|-----------|---------------------|-----------|--------------------------------------------------------------|
| –         | announce            | announced | the tenant is told; until the day everything stays           |
| announced | withdraw            | withdrawn | the number stays                                             |
| announced | take_effect (job)   | done      | the number has left: what hung on it and its slot have ended |
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing import slots
from numbers import attachments, effects, messages
from numbers.models import LockedNumber, NumberState, PhoneNumber, PortOut, PortOutState, PortProvider
from numbers.models.number import GONE
from portal import audit, berlin, outbox, tenancy
from portal.models import User
from portal.refusals import Refused

BATCH = 1_000


class PortOutRefused(Refused):
    """The departure cannot be noted like this; `reason` says why, for people, `field` where."""


def announce(
    numbers: Sequence[LockedNumber],
    leaves_on: date,
    *,
    provider: PortProvider | None = None,
    by: User,
    at: datetime,
) -> list[PortOut]:
    """Note that another provider takes these numbers of one tenant over on a day, today at the earliest.

    Their administrators are told. A scheduled deactivation stays and is overridden on that day. Raises PortOutRefused.
    """
    effects.settle(numbers, at=at)
    if leaves_on < berlin.day(at):
        raise PortOutRefused(_("This day has passed. Please choose a later one."), "leaves_on")
    if any(number.state in GONE for number in numbers):
        raise PortOutRefused(_("A number does not belong to the inventory any more."), "numbers")
    if PortOut.objects.of(number.pk for number in numbers).exists():
        raise PortOutRefused(_("The departure of a number is announced already."), "numbers")
    rows = [
        PortOut(tenant_id=n.tenant_id, number=n, provider=provider, leaves_on=leaves_on, by=by, announced_at=at)
        for n in numbers
    ]
    PortOut.objects.bulk_create(rows)
    _trace(numbers, "number.port_out_announced", {}, {"leaves_on": leaves_on.isoformat()}, by=by, at=at)
    _tell("numbers/port_out_announced", numbers, leaves_on, at=at)
    return rows


def withdraw(numbers: Sequence[LockedNumber], *, announced: Sequence[int], by: User, at: datetime) -> None:
    """Note that these numbers of one tenant stay after all; `announced` are the ids of the departures that are meant.

    Raises PortOutRefused when one of them is not announced any more, even if another one of its number is.
    """
    rows = list(PortOut.objects.of(number.pk for number in numbers).filter(pk__in=announced))
    if len(rows) != len(numbers) or not rows:
        raise PortOutRefused(_("This departure is not announced any more. Please look at the list anew."), "numbers")
    PortOut.objects.filter(pk__in=[row.pk for row in rows]).update(state=PortOutState.WITHDRAWN, ended_at=at)
    day = rows[0].leaves_on
    _trace(numbers, "number.port_out_withdrawn", {"leaves_on": day.isoformat()}, {}, by=by, at=at)
    _tell("numbers/port_out_withdrawn", numbers, day, at=at)


def leaving(numbers: Sequence[int]) -> dict[int, date]:
    """Return the day on which these numbers leave, by id, for those whose departure is announced."""
    return dict(PortOut.objects.of(numbers).values_list("number_id", "leaves_on"))


def take_effect(*, by: str, at: datetime) -> int | None:
    """Let the numbers of one tenant leave whose common day has come; return how many, or None when nothing is due.

    Needs the operator's role and `tenancy.every_tenant()`. Numbers are locked before their departures, as everywhere;
    what was withdrawn while this waited for them stays, so that there may be none to leave though more is due.
    """
    due = PortOut.objects.due(at).order_by("leaves_on", "pk")
    first = due.first()
    if first is None:
        return None
    together = due.filter(tenant=first.tenant_id, leaves_on=first.leaves_on)
    chosen = list(together.values_list("number_id", flat=True)[:BATCH])
    with tenancy.tenant_transaction(first.tenant_id):
        numbers = PhoneNumber.objects.locked(chosen)
        still = PortOut.objects.due(at).filter(number__in=chosen, leaves_on=first.leaves_on)
        ids = dict(still.select_for_update(no_key=True).values_list("number_id", "pk"))
        leave([number for number in numbers if number.pk in ids], first.leaves_on, by=by, at=at)
        PortOut.objects.filter(pk__in=ids.values()).update(state=PortOutState.DONE, ended_at=at)
    return len(ids)


def leave(numbers: Sequence[LockedNumber], leaves_on: date, *, by: str, at: datetime) -> None:
    """Let these numbers of one tenant leave the inventory for good, booked on their day, however late it is done.

    What hangs on them ends as in a deactivation (L5), a slot with the day before; a later deactivation is overridden.
    They do not go back into the pool: another provider has them.
    """
    effects.settle([n for n in numbers if n.last_active_on and n.last_active_on < leaves_on], at=at)
    present = [number for number in numbers if number.state not in GONE]
    if not present:
        return
    snapshots = attachments.detach(present, by_swap=False, by=by, at=at)
    paid = [n.e164 for n in present if n.state in (NumberState.ACTIVE, NumberState.DEACTIVATION_SCHEDULED)]
    slots.cut(paid, last_on=leaves_on - timedelta(days=1))
    gone: dict[str, Any] = {"state": NumberState.PORTED_OUT, "last_active_on": None, "active_since": None}
    before = {number.pk: snapshots.get(number.pk, {}) | {"state": number.state} for number in present}
    PhoneNumber.objects.filter(pk__in=list(before)).update(**gone)
    after = {"state": NumberState.PORTED_OUT, "leaves_on": leaves_on.isoformat()}
    entries = [audit.Entry("number", n.pk, n.e164, before[n.pk], after) for n in present]
    audit.record("number.ported_out", entries, by=by, at=at, tenant_id=present[0].tenant_id)
    _tell("numbers/port_out_done", present, leaves_on, at=at)


def _tell(template: str, numbers: Sequence[PhoneNumber], leaves_on: date, *, at: datetime) -> None:
    people = messages.administrators([numbers[0].tenant_id]).get(numbers[0].tenant_id, [])
    outbox.later(messages.notice(template, numbers, people=people, leaves=leaves_on), at=at)


def _trace(
    numbers: Sequence[PhoneNumber],
    verb: str,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    by: User,
    at: datetime,
) -> None:
    entries = [audit.Entry("number", n.pk, n.e164, before, after) for n in numbers]
    audit.record(verb, entries, by=by, at=at, tenant_id=numbers[0].tenant_id)
