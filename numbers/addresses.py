"""Addresses: where a tenant is, in which local area, and which of them a PIN letter proved (rules V1 and V3).

| from                                       | to               | by                                                   |
|--------------------------------------------|------------------|------------------------------------------------------|
| unverified, locked, expired, returned mail | letter requested | `letters.request`                                    |
| letter requested                           | unverified       | `letters.withdraw`, or the operator declines         |
| letter requested                           | letter sent      | the operator posts it                                |
| letter sent                                | verified         | the right PIN; an older address of the area: revoked |
| letter sent                                | locked           | the fifth wrong PIN                                  |
| letter sent                                | expired          | 30 days without the PIN                              |
| letter sent                                | returned mail    | the operator got it back                             |
"""

from datetime import datetime

from numbers.models import Address


def verified_areas(at: datetime) -> frozenset[int]:
    """Return the ids of the local areas in which the announced tenant has a verified address at that instant (V1)."""
    return frozenset(Address.objects.verified(at).values_list("area_id", flat=True))


def verified_in(area_id: int, at: datetime) -> Address | None:
    """Return the tenant's address that is verified in this local area at that instant, or None (V1)."""
    found: Address | None = (
        Address.objects.verified(at).filter(area=area_id).select_related("area").order_by("-verified_at").first()
    )
    return found
