"""Acme's fax access in the demo: in use, opened just now, waiting in a mail, expired, revoked."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from fax import access, keys, links, mailing, revoking
from numbers import assignment
from numbers.models import LockedNumber, PhoneNumber, Usage
from portal.demo.stories import Act
from portal.models import OutboxMessage, User
from staff.models import LockedMember, StaffMember

DAY = 24


def tell(people: Mapping[str, User]) -> Iterable[tuple[float, Act]]:
    """Return who is sent credentials how many hours ago, and what they do with them."""
    alice, bob = people["alice@acme.example"], people["bob@acme.example"]
    dora, erika = people["dora@acme.example"], people["erika@partner.example"]
    return [
        (5 * DAY, lambda at: _send(Usage.FAX_SHARED, erika, by=alice, at=at)),  # and Erika never looked
        (4 * DAY, lambda at: _send(Usage.FAX_SHARED, alice, by=alice, at=at)),
        (4 * DAY - 1, lambda at: _use(alice, at=at)),
        (2 * DAY, lambda at: _send(Usage.FAX_SHARED, dora, by=alice, at=at)),
        (DAY, lambda at: _revoke(dora, by=alice, at=at)),
        (3, lambda at: _send(Usage.FAX_SHARED, bob, by=alice, at=at)),
        (2.5, lambda at: _look(bob, at=at)),
        (2, lambda at: _assign(bob, by=alice, at=at)),
        (1, lambda at: _send(Usage.FAX_PERSONAL, bob, by=alice, at=at)),
    ]


def _number(usage: Usage, at: datetime) -> LockedNumber:
    first = PhoneNumber.objects.active(at).filter(usage=usage).order_by("e164")[0]
    locked: list[LockedNumber] = PhoneNumber.objects.locked([first.pk])
    return locked[0]


def _member(person: User) -> LockedMember:
    locked: list[LockedMember] = StaffMember.objects.locked([StaffMember.objects.get(user=person).pk])
    return locked[0]


def _send(usage: Usage, to: User, *, by: User, at: datetime) -> None:
    mailing.send(_number(usage, at), [_member(to)], by=by, at=at)


def _assign(to: User, *, by: User, at: datetime) -> None:
    assignment.assign([_number(Usage.FAX_PERSONAL, at)], staff_member=_member(to), by=by, at=at)


def _open(person: User, *, at: datetime) -> links.Shown:
    """Open the link in the person's latest mail."""
    mails = OutboxMessage.objects.filter(recipient=person.email, template="fax/access").order_by("-pk")
    token = urlsplit(mails[0].context["url"]).path.strip("/").rpartition("/")[2]
    return links.show(keys.fingerprint(token), user=person, at=at)


def _look(person: User, *, at: datetime) -> None:
    _open(person, at=at)


def _use(person: User, *, at: datetime) -> None:
    shown = _open(person, at=at)
    access.verify(shown.credential.username, shown.secret, e164=shown.credential.number.e164, at=at)


def _revoke(person: User, *, by: User, at: datetime) -> None:
    theirs = [c for c in revoking.standing([_number(Usage.FAX_SHARED, at)]) if c.staff_member.user_id == person.pk]
    revoking.revoke(theirs, by=by, at=at)
