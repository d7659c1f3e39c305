"""Forwarding of a number: always, when busy, when there is no answer.

| case      | destination          | seconds |
|-----------|----------------------|---------|
| always    | phone number or SIP  | –       |
| busy      | phone number or SIP  | –       |
| no answer | phone number or SIP  | 5–120   |

Refused: the number itself, a loop through own numbers, own inactive numbers, premium-rate, service and emergency
numbers.
A rule may be for some days only: past its end it is none for every reader, and the job removes it (rule A4).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from numbers import destinations, notation
from numbers.attachments import Hanging, Snapshots
from numbers.destinations import Names
from numbers.models import Forwarding, LockedNumber, PhoneNumber
from numbers.notation import Unreadable
from portal import audit, lookups
from portal.models import User
from portal.refusals import Refused

JOB = "end_forwardings"
BATCH = 1_000
SIP = re.compile(r"sips?:[A-Za-z0-9._+\-]{1,60}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,60}[A-Za-z0-9])?(?::[0-9]{2,5})?")


class ForwardingRefused(Refused):
    """The destination is not allowed; `reason` says why, for people."""


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
    number: LockedNumber,
    *,
    when: str,
    destination: str,
    after_seconds: int | None,
    until_at: datetime | None = None,
    by: User,
    at: datetime,
) -> None:
    """Forward a number in one case (an existing rule for the case is replaced), until further notice or `until_at`.

    `destination` as `read_destination` returned it. Raises ForwardingRefused for an inactive number, the number itself,
    an own one that is inactive (one whose deactivation is due included, rule C3) or a loop through own numbers.
    """
    if not number.state_at(at).startswith(("active", "deactivation")):
        raise ForwardingRefused(_("The number is not active. Activate it first, then set up its forwarding."))
    _refuse_destination(number, destination, at)
    known = Forwarding.objects.filter(number=number, when=when).first()
    before = _snapshot(known) if known else {}
    rule = known or Forwarding(tenant_id=number.tenant_id, number=number, when=when)
    rule.destination, rule.after_seconds, rule.until_at, rule.changed_at = destination, after_seconds, until_at, at
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


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a run of the job has come: end and id of the last rule it looked at."""

    until_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    rule_id: int = 0


def end_due(*, at: datetime, after: Cursor) -> tuple[int, Cursor | None]:
    """Remove the next batch of rules of all tenants whose end has come, skipping numbers that others have locked.

    Returns how many were removed and the new cursor, None once nothing is left. Needs the operator's role and
    `tenancy.every_tenant()`.
    """
    later = Q(until_at__gt=after.until_at) | Q(until_at=after.until_at, pk__gt=after.rule_id)
    rows = Forwarding.objects.due(at).filter(later).select_related("number").order_by("until_at", "pk")
    rules = list(rows.select_for_update(skip_locked=True, of=("number", "self"))[:BATCH])
    if not rules:
        return 0, None
    Forwarding.objects.filter(pk__in=[rule.pk for rule in rules]).delete()
    entries = [
        audit.Entry("number", rule.number_id, rule.number.e164, _snapshot(rule), {}, rule.tenant_id) for rule in rules
    ]
    audit.record("number.forwarding_removed", entries, by=JOB, at=at)
    return len(rules), Cursor(rules[-1].until_at, rules[-1].pk)


def hold(tenant_id: int) -> None:
    """Let nobody set up a forwarding in this tenant before this transaction ends, and wait for who does now.

    Two people adding half a loop each must wait for one another, and so must who sets one up to a number that somebody
    swaps. The numbers' locks come before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [7001, tenant_id % 2**31])


def _refuse_destination(number: LockedNumber, destination: str, at: datetime) -> None:
    if destination == number.e164:
        raise ForwardingRefused(_("A number cannot be forwarded to itself."))
    hold(number.tenant_id)
    if PhoneNumber.objects.inactive(at).filter(e164=destination, tenant=number.tenant_id).exists():
        raise ForwardingRefused(_("That number of your company is not active. Choose another, or have it activated."))
    edges: dict[str, list[str]] = {}
    others = Forwarding.objects.standing(at).exclude(number=number)
    for source, target in others.values_list("number__e164", "destination"):
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
    kept = {"when": rule.when, "destination": rule.destination, "after_seconds": rule.after_seconds}
    return kept | {"until": rule.until_at.isoformat()} if rule.until_at else kept


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
WHERE (f.number_id = on_number OR f.destination = hanging.e164) AND {condition}
ORDER BY f.id {locking}"""


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
    def other(self) -> str:
        """Where the calls go to, or come from."""
        return self.destination if self.on_number == self.number_id else self.number

    def sentence(self, names: Names) -> str:
        case, other = Forwarding.When(self.when).label, names[self.other]
        if self.on_number == self.number_id:
            return _t("forwarding %(when)s to %(destination)s") % {"when": case, "destination": other}
        return _t("forwarding %(when)s from %(number)s to it") % {"when": case, "number": other}

    @property
    def snapshot(self) -> dict[str, Any]:
        kept = {"when": self.when, "destination": self.destination, "after_seconds": self.after_seconds}
        return kept if self.on_number == self.number_id else kept | {"from": self.number}


class _Forwardings:
    name = "forwarding"
    models: tuple[str, ...] = ("numbers.Forwarding",)
    ends_with_deactivation = True

    def describe(self, numbers: Sequence[PhoneNumber], *, at: datetime) -> list[Hanging]:
        standing, given = Forwarding.objects.standing(at).values("pk").query.sql_with_params()
        rules = self._rules(numbers, f"f.id IN ({standing})", given)
        names = destinations.names(rule.other for rule in rules)
        return [Hanging(rule.on_number, rule.sentence(names), rule.snapshot) for rule in rules]

    def detach(self, numbers: Sequence[PhoneNumber], *, by: User | str, at: datetime) -> Snapshots:
        ended: Snapshots = {}
        rules = self._rules(numbers, locking="FOR UPDATE OF f")
        for rule in rules:
            ended.setdefault(rule.on_number, []).append(rule.snapshot)
        if rules:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM numbers_forwarding WHERE id = ANY(%s)", [[rule.id for rule in rules]])
        return ended

    def _rules(
        self, numbers: Sequence[PhoneNumber], condition: str = "true", given: Sequence[Any] = (), *, locking: str = ""
    ) -> list[_Rule]:
        with connection.cursor() as cursor:
            statement = _HANGING.format(condition=condition, locking=locking)
            cursor.execute(statement, [lookups.keys(n.pk for n in numbers), *given])
            return [_Rule(*row) for row in cursor]


ATTACHMENT = _Forwardings()
