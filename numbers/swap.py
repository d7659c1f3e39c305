"""Swap: an active and an inactive number of one tenant change places, at no cost.

| old    | new      | becomes                                                            | rule |
|--------|----------|--------------------------------------------------------------------|------|
| active | inactive | the old inactive and blank, the new active; the slot goes on       | S1–S3|
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from billing import slots
from numbers import attachments, effects, forwarding, messages, outcomes, port_out
from numbers.models import LockedNumber, NumberState, PhoneNumber
from numbers.outcomes import Outcome, Reason
from portal import audit, berlin
from portal.models import AuditEvent, User
from portal.refusals import Refused


class ErasedChanged(Refused):
    """Something else would be erased than what was agreed to (rule S3)."""

    def __init__(self) -> None:
        changed = _("What is deleted has changed since you opened this page. Please look at it anew, and confirm it.")
        super().__init__(changed, "sure")


def swap(old: LockedNumber, new: LockedNumber, *, agreed: str | None = None, by: User, at: datetime) -> Outcome:
    """Put `new` into service in place of `old`, from `at` on, and erase every setting of `old` irrevocably.

    Both rows must be locked, in id order. Cost-neutral: the paid slot goes on under the new number (rules S1, B1).
    `agreed` says what somebody saw listed and let go, as `erased` names it. Raises ErasedChanged if that is not what
    would be erased now. Returns the outcome for `old`: done, or unchanged/refused with the reason (rules S2, S4).
    """
    forwarding.hold(old.tenant_id)  # or one to the old number could come between what is listed and what is erased
    effects.settle([old, new], at=at)
    if kept := refusal(old, new):
        return kept
    if port_out.leaving([new.pk]):
        return outcomes.refused(old.pk, Reason.LEAVING)
    if agreed is not None and agreed != erased(old, at=at).name:
        raise ErasedChanged
    today = berlin.day(at)
    snapshot = attachments.detach([old], by_swap=True, by=by, at=at).get(old.pk, {})
    slots.move(old.e164, to=new.e164, on=today)
    old.state, old.active_since = NumberState.INACTIVE, None
    new.state, new.active_since = NumberState.ACTIVE, today
    PhoneNumber.objects.filter(pk=old.pk).update(state=old.state, active_since=None)
    PhoneNumber.objects.filter(pk=new.pk).update(state=new.state, active_since=today)
    audit.record(
        "number.swapped_out",
        [audit.Entry("number", old.pk, old.e164, snapshot | {"state": "active"}, _became("inactive", "new", new))],
        by=by,
        at=at,
        tenant_id=old.tenant_id,
    )
    audit.record(
        "number.swapped_in",
        [audit.Entry("number", new.pk, new.e164, {"state": "inactive"}, _became("active", "old", old))],
        by=by,
        at=at,
        tenant_id=old.tenant_id,
    )
    messages.confirm("numbers/swapped", [old], by=by, at=at, new_number=messages.display(new))
    return outcomes.done(old.pk)


@dataclass(frozen=True, slots=True)
class Erased:
    """What a number loses by a swap, in sentences, and a name of just that, which a page sends back."""

    sentences: list[str]
    name: str


def erased(old: PhoneNumber, *, at: datetime) -> Erased:
    """Return every setting of a number that a swap erases (rule S3)."""
    hanging = attachments.describe([old], by_swap=True, at=at)
    said = sorted(json.dumps(one.snapshot, default=str, sort_keys=True) for one in hanging)
    digest = hashlib.sha256("\n".join(said).encode()).hexdigest()
    return Erased([one.sentence for one in hanging], f"{old.pk}.{digest}")


def refusal(old: PhoneNumber, new: PhoneNumber) -> Outcome | None:
    """Return why these two cannot be swapped (S2), that they were already (S4), or None if they can."""
    if old.state == NumberState.INACTIVE and new.state == NumberState.ACTIVE and _last_swap_was(old, new):
        return outcomes.unchanged(old.pk, Reason.ALREADY_SWAPPED)
    states, gone = {old.state, new.state}, {NumberState.RETURNED, NumberState.PORTED_OUT}
    obstacles = (
        (old.pk == new.pk, Reason.SAME_NUMBER),
        (NumberState.PORT_IN_PENDING in states, Reason.PORTING),
        (bool(states & gone), Reason.GONE),
        (old.state == NumberState.DEACTIVATION_SCHEDULED, Reason.OLD_SCHEDULED),
        (old.state != NumberState.ACTIVE, Reason.OLD_NOT_ACTIVE),
        (new.state != NumberState.INACTIVE, Reason.NEW_NOT_INACTIVE),
        (old.price_class != new.price_class, Reason.OTHER_PRICE_CLASS),
    )
    return next((outcomes.refused(old.pk, reason) for stands, reason in obstacles if stands), None)


def refusal_of_old(old: PhoneNumber, *, at: datetime) -> Outcome | None:
    """Return why this number cannot be replaced whatever the new one is (rule S2), or None if it can."""
    state = old.state_at(at)
    if state == NumberState.ACTIVE:
        return None
    reasons = {
        NumberState.DEACTIVATION_SCHEDULED: Reason.OLD_SCHEDULED,
        NumberState.PORT_IN_PENDING: Reason.PORTING,
        NumberState.INACTIVE: Reason.OLD_NOT_ACTIVE,
    }
    return outcomes.refused(old.pk, reasons.get(state, Reason.GONE))


def _became(state: str, role: str, other: PhoneNumber) -> dict[str, str]:
    return {"state": state, role: other.e164}


def _last_swap_was(old: PhoneNumber, new: PhoneNumber) -> bool:
    latest = AuditEvent.objects.filter(
        tenant_id=old.tenant_id, object_type="number", object_id=old.pk, verb="number.swapped_out"
    ).order_by("-id")
    return latest.values_list("after__new", flat=True).first() == new.e164
