"""Forwarding of a number: always, when busy, when there is no answer.

| case      | destination          | seconds |
|-----------|----------------------|---------|
| always    | phone number or SIP  | –       |
| busy      | phone number or SIP  | –       |
| no answer | phone number or SIP  | 5–120   |

Refused: the number itself, a loop through own numbers, premium-rate, service and emergency numbers, inactive numbers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from numbers import notation
from numbers.attachments import Hanging, Snapshots
from numbers.models import Forwarding, LockedNumber, PhoneNumber
from numbers.notation import Unreadable
from portal import audit, lookups
from portal.models import User

SIP = re.compile(r"sips?:[A-Za-z0-9._+\-]{1,60}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,60}[A-Za-z0-9])?(?::[0-9]{2,5})?")


class ForwardingRefused(ValueError):
    """The destination is not allowed; `reason` says why, for people."""

    def __init__(self, reason: Promise | str) -> None:
        super().__init__(str(reason))
        self.reason = reason


def read_destination(text: str) -> str:
    """Return a destination as it is kept (E.164 or `sip:` address); raise ForwardingRefused with the reason."""
    text = text.strip()
    if "@" in text or text.lower().startswith(("sip:", "sips:")):
        address = text if text.lower().startswith(("sip:", "sips:")) else f"sip:{text}"
        address = address[: address.index(":")].lower() + address[address.index(":") :]
        if len(address) > 120 or not SIP.fullmatch(address):
            raise ForwardingRefused(_("This is not a SIP address. Example: sip:reception@phone.example"))
        return address
    try:
        return notation.parse_destination(text)
    except Unreadable as error:
        raise ForwardingRefused(error.reason) from error


def set_rule(
    number: LockedNumber, *, when: str, destination: str, after_seconds: int | None, by: User, at: datetime
) -> None:
    """Forward a number in one case (an existing rule for the case is replaced).

    `destination` as `read_destination` returned it. Raises ForwardingRefused for an inactive number, the number itself
    or a loop through the tenant's own numbers.
    """
    if not number.state_at(at).startswith(("active", "deactivation")):
        raise ForwardingRefused(_("The number is not active. Activate it first, then set up its forwarding."))
    _refuse_loop(number, destination)
    known = Forwarding.objects.filter(number=number, when=when).first()
    before = _snapshot(known) if known else {}
    rule = known or Forwarding(tenant_id=number.tenant_id, number=number, when=when)
    rule.destination, rule.after_seconds, rule.changed_at = destination, after_seconds, at
    if before == _snapshot(rule):
        return
    rule.save()
    entry = audit.Entry("number", number.pk, number.e164, before, _snapshot(rule))
    audit.record("number.forwarded", [entry], by=by, at=at, tenant_id=number.tenant_id)


def remove_rule(number: LockedNumber, *, when: str, by: User, at: datetime) -> bool:
    """Stop forwarding a number in one case; return whether there was a rule."""
    rule = Forwarding.objects.filter(number=number, when=when).first()
    if rule is None:
        return False
    rule.delete()
    entry = audit.Entry("number", number.pk, number.e164, _snapshot(rule), {})
    audit.record("number.forwarding_removed", [entry], by=by, at=at, tenant_id=number.tenant_id)
    return True


def _refuse_loop(number: LockedNumber, destination: str) -> None:
    if destination == number.e164:
        raise ForwardingRefused(_("A number cannot be forwarded to itself."))
    with connection.cursor() as cursor:  # two people adding half a loop each must wait for one another
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [7001, number.tenant_id % 2**31])
    edges: dict[str, list[str]] = {}
    for source, target in Forwarding.objects.exclude(number=number).values_list("number__e164", "destination"):
        edges.setdefault(source, []).append(target)
    reached, todo = {destination}, [destination]
    while todo:
        for target in edges.get(todo.pop(), []):
            if target == number.e164:
                raise ForwardingRefused(_("This would be a loop: the destination already leads back to this number."))
            if target not in reached:
                reached.add(target)
                todo.append(target)


def _snapshot(rule: Forwarding) -> dict[str, str | int | None]:
    return {"when": rule.when, "destination": rule.destination, "after_seconds": rule.after_seconds}


# Locked in one order, or two batches could deadlock. The last condition is for a rule that was led elsewhere while we
# waited for it: PostgreSQL asks that one again.
_HANGING = """
WITH n AS (SELECT tenant_id, id, e164 FROM numbers_phonenumber WHERE id = ANY(%s)),
hanging AS (
    SELECT f.id, n.id AS on_number, n.e164 FROM n
    JOIN numbers_forwarding f ON f.tenant_id = n.tenant_id AND f.number_id = n.id
    UNION
    SELECT f.id, n.id, n.e164 FROM n
    JOIN numbers_forwarding f ON f.tenant_id = n.tenant_id AND f.destination = n.e164
)
SELECT f.id, on_number, number_id, own.e164, f."when", destination, after_seconds
FROM hanging JOIN numbers_forwarding f ON f.id = hanging.id JOIN numbers_phonenumber own ON own.id = f.number_id
WHERE f.number_id = on_number OR f.destination = hanging.e164
ORDER BY f.id"""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule as it hangs on a number: its own, or another's that leads to it."""

    id: int
    on_number: int
    number_id: int
    number: str
    when: str
    destination: str
    after_seconds: int | None

    @property
    def sentence(self) -> str:
        case = Forwarding.When(self.when).label
        if self.on_number == self.number_id:
            return _t("forwarding %(when)s to %(destination)s") % {"when": case, "destination": self.destination}
        return _t("forwarding %(when)s from %(number)s to it") % {"when": case, "number": self.number}

    @property
    def snapshot(self) -> dict[str, Any]:
        kept = {"when": self.when, "destination": self.destination, "after_seconds": self.after_seconds}
        return kept if self.on_number == self.number_id else kept | {"from": self.number}


class _Forwardings:
    name = "forwarding"
    models: tuple[str, ...] = ("numbers.Forwarding",)
    ends_with_deactivation = True

    def describe(self, numbers: Sequence[PhoneNumber]) -> list[Hanging]:
        return [Hanging(rule.on_number, rule.sentence, rule.snapshot) for rule in self._rules(numbers)]

    def detach(self, numbers: Sequence[PhoneNumber], *, by: User | str, at: datetime) -> Snapshots:
        ended: Snapshots = {}
        rules = self._rules(numbers, "FOR UPDATE OF f")
        for rule in rules:
            ended.setdefault(rule.on_number, []).append(rule.snapshot)
        if rules:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM numbers_forwarding WHERE id = ANY(%s)", [[rule.id for rule in rules]])
        return ended

    def _rules(self, numbers: Sequence[PhoneNumber], locking: str = "") -> list[_Rule]:
        with connection.cursor() as cursor:
            cursor.execute(f"{_HANGING} {locking}", [lookups.keys(n.pk for n in numbers)])
            return [_Rule(*row) for row in cursor]


ATTACHMENT = _Forwardings()
