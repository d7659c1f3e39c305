"""Handing over, by an adapter, what waits for old providers; with none switched on it waits for people.

No transaction is open while the adapter talks: before it does, the order is marked as on its way, so that whoever
cancels it from then on has it called off at the old provider, whether or not the answer arrives. A message whose answer
was lost is handed over again under its key.
"""

from datetime import datetime

import structlog
from django.core.cache import cache

from numbers import port_desk, port_export, port_transport
from numbers.models import PortOrder
from numbers.porting import PortRefused
from portal import tenancy

log = structlog.get_logger(__name__)
BY = "porting transport"
TALKING, LONGEST = "portal.port_sending", 310  # seconds; Celery ends a task before that


def hand_over(*, at: datetime) -> int:
    """Hand over what waits, over all tenants; return how many messages an adapter took. Needs the operator's role.

    One run at a time: while another one talks, this one does nothing.
    """
    adapter = port_transport.chosen()
    if adapter is None or not cache.add(TALKING, 1, timeout=LONGEST):
        return 0
    try:
        return _all(adapter, at=at)
    finally:
        cache.delete(TALKING)


def _all(adapter: port_transport.PortingTransport, *, at: datetime) -> int:
    with tenancy.every_tenant():
        waiting = list(PortOrder.objects.exclude(to_send="").order_by("pk").values_list("pk", "tenant_id"))
    return sum(_one(adapter, pk, tenant_id, at=at) for pk, tenant_id in waiting)


def _one(adapter: port_transport.PortingTransport, pk: int, tenant_id: int, *, at: datetime) -> bool:
    with tenancy.tenant_transaction(tenant_id):
        order = PortOrder.objects.select_related("tenant", "provider", "area").locked(pk)
        if not order.to_send:  # answered by people since it was found
            return False
        port_desk.set_off(order, by=BY, at=at)
        handed, message = port_desk.waiting(order), port_export.message(order)
    try:
        reference = adapter.hand_over(message)
    except port_transport.TransportError as error:
        log.warning("port message not handed over", order=pk, reason=str(error))
        return False
    with tenancy.tenant_transaction(tenant_id):
        order = PortOrder.objects.locked(pk)
        try:
            port_desk.note_sent(order, reference=reference, handed=handed, by=BY, at=at)
        except PortRefused as refused:  # people noted it, or completed the order, while the adapter talked
            port_desk.keep_reference(order, reference, handed=handed, by=BY, at=at)
            log.warning("port message handed over but not noted", order=pk, reason=str(refused))
    return True
