"""Port orders of each tenant, one in every stage, as unmistakable as the rest of the world."""

from datetime import date, datetime
from typing import Any

from numbers.models import PortDocument, PortEvent, PortNumber, PortOrder, PortOut, PortProvider
from portal import documents

STAGES: dict[str, dict[str, Any]] = {
    "port_draft": {"state": "draft"},
    "port_submitted": {"state": "submitted"},
    "port_rejected": {"state": "rejected", "code": "ADF"},
    "port_confirmed": {"state": "confirmed", "confirmed_on": date(2099, 1, 7)},
    "port_completed": {"state": "completed", "confirmed_on": date(2026, 11, 3)},
}


def fill(leaving: Any, spare: Any, who: Any, *, bird: str, prefix: str, first_id: int, at: datetime) -> dict[str, int]:
    """Give a tenant an order in every stage with number, event and document, and a number that leaves."""
    ids = {}
    provider = PortProvider.objects.get(code="D901")
    for place, (name, fields) in enumerate(STAGES.items()):
        ended = {"completed_at": at} if fields["state"] == "completed" else {}
        reason = {"reason": f"{bird} reason"} if fields["state"] == "rejected" else {}
        order = PortOrder.objects.create(
            id=first_id + 200 + place,
            area=spare.area,
            provider=provider,
            provider_customer_number=f"{bird} customer",
            holder_name=f"{bird} holder",
            street=f"{bird} road",
            house_number="7",
            postcode="10115",
            town=f"{bird} town",
            requested_on=date(2099, 1, 7),
            remaining="all",
            temporary=spare,
            by=who,
            created_at=at,
            submitted_at=None if name == "port_draft" else at,
            attempt=0 if name == "port_draft" else 1,
            **fields,
            **ended,
            **reason,
        )
        is_open = name in ("port_submitted", "port_rejected", "port_confirmed")
        PortNumber.objects.create(id=first_id + 210 + place, order=order, e164=f"{prefix}78{place}", open=is_open)
        PortEvent.objects.create(order=order, kind="begun", key="0", at=at, by_name=f"{bird} person", details={})
        kept = documents.keep(b"\xff\xd8\xff" + f"{bird} {place}".encode() + b"\xff\xd9")
        PortDocument.objects.create(
            id=first_id + 220 + place, order=order, version=1, name=kept, pages=1, size=20, by=who, at=at
        )
        ids[name] = order.pk
    PortOut.objects.create(
        id=first_id + 230, number=leaving, provider=provider, leaves_on=date(2099, 1, 8), by=who, announced_at=at
    )
    return ids | {"port_out": first_id + 230}
