"""The pages of porting for tests: what the steps of the wizard send, and what becomes of it."""

import html
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from numbers.models import PortOrder, PortProvider
from portal.access import tenant_token
from tests import make
from tests.portal.test_uploads import pdf
from tests.porting import code, provider

ON = "2026-12-15"  # a Tuesday, more than seven working days after NOW
STEPS = {
    "numbers": {"kind": "single", "numbers": "030 23125-801\n+49 (0)30 23125 802"},
    "provider": {"provider": "Beispiel D901 (D901)", "provider_customer_number": "4711"},
    "holder": {
        "holder_kind": "company",
        "holder_name": "Acme GmbH",
        "street": "Musterstraße",
        "house_number": "12a",
        "postcode": "10115",
        "town": "Berlin",
        "further_holders": "",
    },
    "date": {"requested_on": ON, "remaining": "all", "directory_entry": "none"},
}
BLOCK = {"kind": "block", "base_number": "030 231258", "range_from": "00", "range_until": "99", "pilot": "00"}


SHOWN_ON = {"port_submit": "port_summary", "port_upload": "port_summary", "port_cancel": "port_cancel"}
SHOWN_ON |= {"port_move": "port_move", "port_step": "port_step"}


def post(cast, client, name, *args, **fields):
    """Send a form as a page that is up to date would."""
    known = {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4())}
    if name in SHOWN_ON and "seen" not in fields:
        page = get(client, SHOWN_ON[name], *args)
        known["seen"] = page.context["seen"] if page.status_code == 200 else ""
    if name == "port_upload":
        known["code"] = code(order(*args))
    fields = known | fields
    return client.post(reverse(f"numbers:{name}", args=args), fields)


def begun(cast, client):
    """Begin a draft where Acme has a verified address; return its id."""
    if not PortProvider.objects.exists():
        provider()
        make.verified_address("30")
    post(cast, client, "port_new")
    return PortOrder.objects.latest("pk").pk


def filled(cast, client, **changed):
    """Fill in all four steps and upload a signed form; return the order's id."""
    pk = begun(cast, client)
    for step, fields in STEPS.items():
        answer = post(cast, client, "port_step", pk, step, **(changed.get(step) or fields))
        assert answer.status_code == 302, answer.content.decode()
    post(cast, client, "port_upload", pk, document=SimpleUploadedFile("auftrag.pdf", pdf()))
    return pk


def order(pk):
    return PortOrder.objects.select_related("area", "provider", "tenant", "by").get(pk=pk)


def said(answer):
    return html.unescape(answer.content.decode())


def get(client, name, *args, **query):
    return client.get(reverse(f"numbers:{name}", args=args), query)
