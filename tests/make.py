"""Plain factory functions. All of them need a transaction that may write what they make."""

import itertools
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.test import Client

from billing.models import Price, Slot
from fax import keys
from fax.models import FaxCredential
from numbers import labels, pins, pool_loading
from numbers.models import Address, LocalArea, PhoneNumber, PinLetter
from portal.models import Membership, Tenant, User
from portal.sorting import fold
from staff.models import StaffMember

PASSWORD = "Rufnummern-Test-2026"
ALLOCATED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_count = itertools.count(1)
_ANY = [f"+493023125{n}" for n in range(250, 700)]  # for whoever names no number
_any = itertools.cycle(_ANY)
_hash: list[str] = []


def tenant(name: str = "Acme GmbH", *, slug: str = "") -> Tenant:
    number = next(_count)
    return Tenant.objects.create(name=name, slug=slug or f"tenant-{number}", customer_number=f"K-{number:05}")


def user(email: str, name: str, roles: dict[Tenant, str] | None = None, **fields: Any) -> User:
    """Create a person with the password `PASSWORD` (hashed once for all) and memberships."""
    person = User(email=email, name=name, **fields)
    if not _hash:
        person.set_password(PASSWORD)
        _hash.append(person.password)
    person.password = _hash[0]
    person.save()
    for of, role in (roles or {}).items():
        Membership.objects.create(user=person, tenant=of, role=role)
    return person


def member(name: str, **fields: Any) -> StaffMember:
    """Create a staff member of the announced tenant; `user=` makes them one who signs in."""
    row = StaffMember(**{"name": name, "sort_key": fold(name), "created_at": ALLOCATED} | fields)
    row.save()
    return row


def just_signed_in(client: Client, person: User) -> None:
    """Note in a forced session what the sign-in page notes: that a password was shown a moment ago."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "email": person.email}]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()


def price(price_class: str = "standard", *, monthly: Decimal, valid_from: date) -> Price:
    return Price.objects.create(
        price_class=price_class,
        monthly=monthly,
        order_fee=Decimal("4.90"),
        vat_rate=Decimal("19.0"),
        valid_from=valid_from,
    )


def number(e164: str | None = None, *, state: str = "inactive", **fields: Any) -> PhoneNumber:
    """Create a number of the announced tenant (film numbers, Berlin), with its slot if it is in service."""
    assert e164 not in _ANY, "name numbers outside 030 23125-250 to -699: those are given to whoever names none"
    e164 = e164 or next(_any)
    code = fields.pop("area_code", "30")
    since = fields.pop("active_since", date(2026, 3, 1))
    fields.setdefault("base_number", e164)
    if state in ("active", "deactivation_scheduled"):
        fields["active_since"] = since
    area = LocalArea.objects.get(area_code=code)
    LocalArea.known([area.pk])  # read once per process: not in the middle of a test that counts statements
    row = PhoneNumber(e164=e164, state=state, area=area, allocated_at=ALLOCATED, **fields)
    row.save()
    labels.index([row])
    if "active_since" in fields:
        last = row.last_active_on
        until = date.fromordinal(last.toordinal() + 1) if last else None
        Slot.objects.create(label=e164, price_class=row.price_class, from_on=since, until_on=until)
    return row


def numbers(count: int, **fields: Any) -> list[PhoneNumber]:
    return [number(**fields) for _ in range(count)]


def fax_credential(number: PhoneNumber, member: StaffMember, secret: str = "", **fields: Any) -> FaxCredential:
    """Give a person access to a fax number, with this secret."""
    fields = {"username": keys.new_username(), "created_at": ALLOCATED} | fields
    row = FaxCredential(tenant_id=number.tenant_id, number=number, staff_member=member, **fields)
    row.secret_hash = keys.hashed(secret, row) if secret else ""
    row.save()
    return row


def address(area_code: str = "30", **fields: Any) -> Address:
    """Create an unverified address of the announced tenant."""
    fields.setdefault("company", "Acme GmbH")
    known = {"street": "Musterstraße", "house_number": "12a", "postcode": "10115", "town": "Berlin"}
    area = LocalArea.objects.get(area_code=area_code)
    return Address.objects.create(area=area, created_at=ALLOCATED, **(known | fields))


def verified_address(area_code: str = "30", **fields: Any) -> Address:
    """Create an address of the announced tenant that a PIN letter has proven."""
    return address(area_code, **({"state": "verified", "verified_at": ALLOCATED} | fields))


def sent(area_code: str = "30", *, by: User, pin: str = "7K3M-Q9XD", posted_on: date, **fields: Any) -> Address:
    """Create an address whose letter, with this PIN, was posted on a day."""
    until = posted_on + timedelta(days=30)
    there = address(area_code, **({"state": "letter_sent", "entry_until": until} | fields))
    letter = PinLetter(address=there, state="posted", lines=["x"], requested_by=by, requested_at=ALLOCATED)
    letter.posted_on = posted_on
    letter.save()
    letter.pin_hash = pins.hashed(pin, letter)
    letter.save(update_fields=["pin_hash"])
    return there


def pool(*blocks: str, size: int = 10, memorable: str = "", at: datetime = ALLOCATED) -> None:
    """Put blocks (`"030 2312599"`) into the operator's pool; needs the operator's role."""
    lines = [f"{base};{size};D123;{memorable}" for base in blocks]
    text = "\n".join(["Stammnummer;Größe;Portierungskennung;Einprägsam", *lines])
    findings = pool_loading.load(text.encode(), by="test", at=at)
    assert {finding.kind for finding in findings} == {"new"}, findings
