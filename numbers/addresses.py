"""Addresses: where a tenant is, in which local area, and which of them a PIN letter proved (rules V1 and V3).

| from                                       | to               | by                                                   |
|--------------------------------------------|------------------|------------------------------------------------------|
| unverified, locked, expired, returned mail | letter requested | `letters.ask`                                        |
| letter sent                                | letter requested | `letters.ask`, three days after the last one         |
| letter requested                           | unverified       | `letters.withdraw`, or the operator declines         |
| letter requested                           | letter sent      | the operator posts it                                |
| letter sent                                | verified         | the right PIN; an older address of the area: revoked |
| letter sent                                | locked           | the fifth wrong PIN                                  |
| letter sent                                | expired          | 30 days without the PIN                              |
| letter sent                                | returned mail    | the operator got it back                             |
"""

from collections.abc import Mapping
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers.models import Address, AddressState, LocalArea, LockedAddress, PhoneNumber, PinLetter
from portal import audit
from portal.models import User
from portal.refusals import Refused

FIELDS = ("company", "extra", "street", "house_number", "postcode", "town")
EDITABLE = frozenset({AddressState.UNVERIFIED, AddressState.LOCKED, AddressState.EXPIRED, AddressState.RETURNED_MAIL})


class AddressRefused(Refused):
    """The address cannot be entered, changed or removed like this; `reason` says why, `field` where."""


def verified_areas(at: datetime) -> frozenset[int]:
    """Return the ids of the local areas in which the announced tenant has a verified address at that instant (V1)."""
    return frozenset(Address.objects.verified(at).values_list("area_id", flat=True))


def verified_in(area_id: int, at: datetime) -> Address | None:
    """Return the tenant's address that is verified in this local area at that instant, or None (V1)."""
    found: Address | None = (
        Address.objects.verified(at).filter(area=area_id).select_related("area").order_by("-verified_at").first()
    )
    return found


def add(fields: Mapping[str, str], *, area: LocalArea, by: User, at: datetime) -> Address:
    """Enter an address of the announced tenant, not verified yet. Raises AddressRefused if it is there already."""
    _refuse_twins(fields, area)
    address = Address(area=area, created_at=at, **{name: fields[name] for name in FIELDS})
    address.save()
    _note("address.created", address, {}, _written(address), by=by, at=at)
    return address


def change(address: LockedAddress, fields: Mapping[str, str], *, area: LocalArea, by: User, at: datetime) -> None:
    """Correct an address that is not verified; a letter that still counted is dead. Raises AddressRefused. Rule V3."""
    state = address.state_at(at)
    if state not in EDITABLE:
        raise AddressRefused(why_fixed(state))
    _refuse_twins(fields, area, but=address.pk)
    before = _written(address)
    for name in FIELDS:
        setattr(address, name, fields[name])
    address.area, address.state, address.entry_until = area, AddressState.UNVERIFIED, None
    after = _written(address)
    if before == after:
        return
    address.save()
    PinLetter.objects.open().filter(address=address.pk).update(closed_at=at)
    changed = [name for name in before if before[name] != after[name]]
    was, now = ({name: side[name] for name in changed} for side in (before, after))
    _note("address.changed", address, was, now, by=by, at=at)


def remove(address: LockedAddress, *, by: User, at: datetime) -> None:
    """Remove an address to which no letter was written. Raises AddressRefused."""
    if address.state_at(at) not in EDITABLE:
        raise AddressRefused(why_fixed(address.state_at(at)))
    if PinLetter.objects.written().filter(address=address.pk).exists():
        raise AddressRefused(_("A letter was written to this address, so it stays in the list. It does no harm there."))
    PinLetter.objects.filter(address=address.pk).delete()
    _note("address.removed", address, _written(address), {}, by=by, at=at)
    address.delete()


def why_fixed(state: AddressState) -> Promise:
    """Return why an address in this state cannot be changed, and what to do instead."""
    if state in (AddressState.VERIFIED, AddressState.REVOKED):
        return _("A verified address cannot be edited. If you have moved, enter the new address.")
    return _("A letter to this address is on its way, so it cannot be changed now. You can enter another address.")


def affected(area_id: int) -> list[PhoneNumber]:
    """Return the tenant's numbers of a local area: what a move concerns (rule V3), their `area` loaded."""
    found = PhoneNumber.objects.held().filter(area=area_id).select_related("area").order_by("e164")
    return list(found)


def _refuse_twins(fields: Mapping[str, str], area: LocalArea, *, but: int | None = None) -> None:
    place = {name: fields[name] for name in ("street", "house_number", "postcode", "town")}
    if Address.objects.current().filter(area=area, **place).exclude(pk=but).exists():
        raise AddressRefused(_("You have entered this address already."), "street")


def _written(address: Address) -> dict[str, str]:
    return {name: getattr(address, name) for name in FIELDS} | {"area": str(address.area)}


def _note(
    verb: str, address: Address, before: Mapping[str, str], after: Mapping[str, str], *, by: User, at: datetime
) -> None:
    entry = audit.Entry("address", address.pk, str(address), dict(before), dict(after), address.tenant_id)
    audit.record(verb, [entry], by=by, at=at)
