"""Ordering for tests: an area with a pool and a verified address, orders, and what the pages send."""

from decimal import Decimal
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from numbers import orders, pool
from numbers.models import LocalArea
from portal.access import tenant_token
from tests import make
from tests.conftest import NOW, _as_operator

JPEG = b"\xff\xd8\xff proof \xff\xd9"


def open_berlin():
    """Return the area of Berlin: the announced tenant has a verified address, the pool a hundred numbers."""
    make.verified_address("30")
    with _as_operator():
        make.pool("030 231258", size=100, memorable="*77")
    return LocalArea.objects.get(area_code="30")


def ordered(cast, area, count=2, *, kind="single", fee=None, **options):
    key = uuid4()
    if kind == "single":
        pool.reserve_next(area.pk, count=count, basket=key, at=NOW)
    else:
        pool.reserve_run(area.pk, length=count, aligned=kind == "block", basket=key, at=NOW)
    seen = Decimal(fee) if fee else Decimal("4.90") * count
    return orders.place(key, kind=kind, count_seen=count, fee_seen=seen, by=cast.alice, at=NOW, **options)


def post(cast, client, name, *args, **fields):
    fields = {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4())} | fields
    return client.post(reverse(f"numbers:{name}", args=args), fields)


def choose(cast, client, **fields):
    return post(cast, client, "order_new", **({"area": "30", "kind": "single", "count": "1", "q": ""} | fields))


def agreed(client, chosen):
    """Return what the page of confirmation, to which a choice led, would send."""
    form = client.get(chosen.url).context
    return {"basket": str(form["key"]), "kind": form["kind"], "count_seen": "1", "fee_seen": str(form["fee_seen"])}


def file(content):
    return SimpleUploadedFile("nachweis", content)
