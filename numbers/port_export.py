"""An order in the words of the carriers' interface (WBCI), for whatever system the operator hands it over with.

| `to_send`    | message                                             |
|--------------|-----------------------------------------------------|
| order        | VA (Vorabstimmung)                                  |
| change       | TV (Terminverschiebung) to the date asked for       |
| cancellation | STR-AUF (Stornierung)                               |

The business case follows from what becomes of the other numbers: VA-RRNP ports numbers only and the contract goes on,
VA-KUE-MRN ends it with the porting.
"""

import json
from typing import Any

from django.conf import settings

from numbers.models import HolderKind, PortKind, PortOrder, Remaining, ToSend
from numbers.porting import numbers_of

MESSAGES = {ToSend.CHANGE: "TV", ToSend.CANCELLATION: "STR-AUF"}


def message(order: PortOrder) -> dict[str, Any]:
    """Return what the old provider has to be told about an order that lacks nothing; days as ISO text, no prices."""
    keeps = order.remaining == Remaining.KEEP
    return {
        "meldung": MESSAGES.get(ToSend(order.to_send), "VA"),
        "geschaeftsfall": "VA-RRNP" if keeps else "VA-KUE-MRN",
        "vorabstimmungsId": order.reference or None,
        "auftrag": f"{order.tenant.customer_number}-{order.pk}-{order.attempt}.{order.changes}",
        "aufnehmend": {"name": settings.OPERATOR_NAME},
        "abgebend": {"name": order.provider.name, "portierungskennung": order.provider.code}
        if order.provider
        else None,
        "kundennummerAbgebend": order.provider_customer_number or None,
        "kundenwunschtermin": _day(order.change_on or order.requested_on),
        "wechseltermin": _day(order.confirmed_on),
        "vertragsende": _day(order.contract_ends_on),
        "anschlussinhaber": _holder(order),
        "weitereAnschlussinhaber": list(order.further_holders),
        "standort": {
            "strasse": order.street,
            "hausnummer": order.house_number,
            "postleitzahl": order.postcode,
            "ort": order.town,
        },
        "rufnummernportierung": _numbers(order),
        "telefonbucheintrag": order.directory_entry,
    }


def as_json(order: PortOrder) -> str:
    """Return the message as JSON text, indented for people."""
    return json.dumps(message(order), ensure_ascii=False, indent=2)


def _holder(order: PortOrder) -> dict[str, str]:
    if order.holder_kind == HolderKind.PERSON:
        return {"typ": "Person", "nachname": order.holder_name, "vorname": order.holder_addition}
    return {"typ": "Firma", "firmenname": order.holder_name, "firmenzusatz": order.holder_addition}


def _numbers(order: PortOrder) -> dict[str, Any]:
    """Return single numbers, or the line with extensions; the area code stands apart, as the interface has it."""
    code = order.area.area_code if order.area else ""
    behind = len(f"+49{code}")
    if order.kind == PortKind.BLOCK:
        block = {"von": order.range_from, "bis": order.range_until}
        line = {"onkz": code, "durchwahlnummer": order.base_number[behind:], "abfragestelle": order.pilot or None}
        return {"typ": "Anlagenanschluss", **line, "rufnummernbloecke": [block]}
    singles = [{"onkz": code, "rufnummer": e164[behind:]} for e164 in numbers_of(order).e164s]
    everything = order.remaining == Remaining.ALL
    return {"typ": "Einzelrufnummern", "alleRufnummernPortieren": everything, "rufnummern": singles}


def _day(on: Any) -> str | None:
    return on.isoformat() if on else None
