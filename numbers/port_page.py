"""What the pages of porting show, shaped before the template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Min
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import prices, written
from billing.models import PriceClass
from numbers import (
    addresses,
    destinations,
    messages,
    notation,
    port_calendar,
    port_codes,
    port_days,
    port_numbers,
    port_signed,
    port_temporary,
    porting,
)
from numbers.models import (
    LocalArea,
    PhoneNumber,
    PortDocument,
    PortEvent,
    PortKind,
    PortNumber,
    PortOrder,
    PortOut,
    PortState,
)
from numbers.port_days import day
from numbers.port_numbers import Problem
from numbers.port_track import lines, next_step, tracker
from portal import berlin

# the steps of the wizard: title, icon and the fields of an order that stand there
STEPS: dict[str, tuple[Promise, str, tuple[str, ...]]] = {
    "numbers": (
        gettext_lazy("Phone numbers"),
        "phone",
        ("kind", "numbers", "address", "base_number", "range_from", "range_until", "pilot"),
    ),
    "provider": (
        gettext_lazy("Old provider"),
        "unplug",
        ("provider", "provider_customer_number", "contract_ends_on"),
    ),
    "holder": (
        gettext_lazy("Holder and address"),
        "user",
        (
            *("holder_kind", "holder_name", "holder_addition", "street", "house_number", "postcode", "town"),
            "further_holders",
        ),
    ),
    "date": (
        gettext_lazy("Date and more"),
        "calendar-clock",
        ("requested_on", "remaining", "activate", "directory_entry", "temporary"),
    ),
}
TONES = {
    PortState.DRAFT: ("off", "pencil"),
    PortState.SUBMITTED: ("warn", "hourglass"),
    PortState.CONFIRMED: ("ok", "calendar-clock"),
    PortState.REJECTED: ("danger", "circle-x"),
    PortState.COMPLETED: ("ok", "circle-check"),
    PortState.CANCELLED: ("off", "circle-slash"),
}
SHOWN, NAMED, FEW = 50, 3, 4


@dataclass(frozen=True, slots=True)
class WizardStep:
    """A step of the wizard: `state` is done, now, wrong or empty."""

    name: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Section:
    """What one step came to, with what hinders submitting it."""

    name: str
    title: str
    pairs: list[tuple[str, Any]]
    problems: list[str]


def said(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """Return (field, sentence) of what hinders an order; numbers with the same problem stand together."""
    found: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        found.setdefault((problem.field, str(problem.sentence)), []).append(problem.e164)
    return [(field, _named([e164 for e164 in e164s if e164], text)) for (field, text), e164s in found.items()]


def _named(e164s: Sequence[str], sentence: str) -> str:
    if not e164s:
        return sentence
    named = ", ".join(map(destinations.written, e164s[:NAMED]))
    rest = _(" and %(more)s more") % {"more": len(e164s) - NAMED} if len(e164s) > NAMED else ""
    return f"{named}{rest}: {sentence}"


def step_of(field: str) -> str:
    """Return the step on which a field stands; the signed form is on the summary."""
    return next((name for name, (_title, _icon, fields) in STEPS.items() if field in fields), "")


def fields_of(step: str) -> list[str]:
    """Return the order's own fields that a step is about, without those that stand for rows of their own."""
    return [name for name in STEPS[step][2] if name not in ("numbers", "address")]


def wizard(order: PortOrder, current: str, problems: Sequence[Problem]) -> list[WizardStep]:
    """Return the four steps with what is done, wrong or still to do."""
    wrong = {step_of(problem.field) for problem in problems}
    return [
        WizardStep(name, str(title), "now" if name == current else "" if name in wrong else "done")
        for name, (title, _icon, _fields) in STEPS.items()
    ]


def following(step: str) -> str | None:
    """Return the step after this one, or None after the last."""
    names = list(STEPS)
    return names[names.index(step) + 1] if step != names[-1] else None


def before(step: str) -> str | None:
    """Return the step before this one, or None before the first."""
    names = list(STEPS)
    return names[names.index(step) - 1] if step != names[0] else None


def listed(order: PortOrder) -> list[str]:
    """Return the numbers of an order (its `area` loaded) as people write them."""
    code = order.area.area_code if order.area else ""
    found = PortNumber.objects.filter(order=order).order_by("e164").values_list("e164", flat=True)
    base = order.base_number if order.kind == PortKind.BLOCK else ""
    return [
        notation.national(e164, code, base_number=base, extension=e164[len(base) :] if base else "") for e164 in found
    ]


def short(order: PortOrder, count: int, first: str) -> str:
    """Return in one line which numbers an order brings."""
    if not count:
        return _("no numbers yet")
    if order.kind == PortKind.BLOCK and order.area:
        base = notation.national(order.base_number, order.area.area_code)
        return f"{base}{notation.NB_HYPHEN}{order.range_from} – {order.range_until}"
    text = destinations.written(first)
    return text if count == 1 else _("%(number)s and %(more)s more") % {"number": text, "more": count - 1}


def sections(order: PortOrder, problems: Sequence[Problem]) -> list[Section]:
    """Return what the four steps came to; the order's `area` and `provider` must be loaded."""
    pairs: Mapping[str, list[tuple[str, Any]]] = {
        "numbers": _numbers(order),
        "provider": _provider(order),
        "holder": _holder(order),
        "date": _date(order),
    }
    return [
        Section(name, str(title), pairs[name], [text for field, text in said(problems) if step_of(field) == name])
        for name, (title, _icon, _fields) in STEPS.items()
    ]


def _numbers(order: PortOrder) -> list[tuple[str, Any]]:
    numbers = listed(order)
    if order.kind != PortKind.BLOCK or not order.area:
        return [(_("Phone numbers"), ", ".join(numbers)), (_("Local area"), order.area or "")]
    return [
        (_("Base number"), notation.national(order.base_number, order.area.area_code)),
        (_("Extensions"), f"{order.range_from} – {order.range_until} ({len(numbers)})"),
        (_("Extension of the switchboard"), order.pilot),
        (_("Local area"), order.area),
    ]


def _provider(order: PortOrder) -> list[tuple[str, Any]]:
    ends = order.contract_ends_on
    pairs = [
        (_("Old provider"), order.provider or ""),
        (_("Customer number there"), order.provider_customer_number),
        (_("End of the contract"), day(ends)),
    ]
    return [*pairs, (_("Porting possible until"), day(port_calendar.deadline(ends)))] if ends else pairs


def _holder(order: PortOrder) -> list[tuple[str, Any]]:
    town, street = f"{order.postcode} {order.town}".strip(), f"{order.street} {order.house_number}".strip()
    return [
        (order.get_holder_kind_display(), ", ".join(filter(None, (order.holder_name, order.holder_addition)))),
        (_("Address"), ", ".join(filter(None, (street, town)))),
        (_("Further holders"), ", ".join(order.further_holders)),
    ]


def _date(order: PortOrder) -> list[tuple[str, Any]]:
    pairs = [
        (_("Requested date"), day(order.requested_on)),
        (_("Remaining numbers"), order.get_remaining_display()),
        (_("Activate on the port date"), _activated(order)),
        (_("Directory entry"), order.get_directory_entry_display()),
    ]
    if order.temporary_id and (number := PhoneNumber.objects.select_related("area").filter(pk=order.temporary_id)):
        pairs.append((_("Temporary number"), messages.display(number[0])))
    return pairs


def _activated(order: PortOrder) -> str:
    if not order.activate:
        return _("no, they arrive inactive")
    if not order.temporary_id:
        return _("yes")
    if not porting.to_activate(order):
        return _("no, the number waits to replace the temporary one")
    return _("yes, but for the one that replaces the temporary number")


def price(today: date) -> dict[str, Any]:
    """Return what an active number costs a month, as it is written and as it is sent back (rule L1)."""
    quote = prices.quote(PriceClass.STANDARD, on=today)
    return {
        "net": written.euros(quote.monthly),
        "gross": written.euros(quote.monthly_gross),
        "seen": quote.monthly,
    }


def calendar(order: PortOrder, *, chosen: date | None = None, at: datetime) -> dict[str, Any]:
    """Return the months with the days that can be asked for (rules P1, P3), and the last one if the contract ends.

    `chosen` is the day that somebody has just chosen, if it is not the order's.
    """
    chosen = chosen or order.change_on or order.confirmed_on or order.requested_on
    last = porting.deadline(order)
    months = port_days.calendar(berlin.day(at), chosen, last=last)
    return {"months": months, "weekdays": port_days.weekdays(), "deadline": day(last)}


def temporaries(at: datetime) -> list[str]:
    """Return the first of the tenant's numbers of which one may be used until the ported ones are there.

    They are suggestions: any other can be entered as well.
    """
    found = port_numbers.temporaries(at).select_related("area").order_by("e164")[:SHOWN]
    return [messages.display(number) for number in found]


def address_there(order: PortOrder, at: datetime) -> dict[str, str]:
    """Return holder and address to begin with: the verified address of the numbers' area."""
    known = addresses.verified_in(order.area_id, at) if order.area_id else None
    if known is None or order.holder_name or order.street:
        return {}
    names = ("street", "house_number", "postcode", "town")
    return {"holder_name": known.company, "holder_addition": known.extra} | {n: getattr(known, n) for n in names}


def order(order: PortOrder, *, at: datetime) -> dict[str, Any]:
    """Return what the page of an order shows; `area`, `provider` and `by` must be loaded."""
    events = list(PortEvent.objects.filter(order=order).order_by("pk"))
    tone, icon = TONES[PortState(order.state)]
    numbers, signed = listed(order), documents(order)
    to_sign = str(unsigned(order, signed))
    return {
        "order": order,
        "heading": short(order, len(numbers), _first(order)),
        "tone": tone,
        "icon": icon,
        "steps": tracker(order, events, to_sign=bool(to_sign))
        if order.submitted_at and order.state != PortState.CANCELLED
        else [],
        "next": next_step(order, at, to_sign=bool(to_sign)),
        "lines": lines(events),
        "sections": sections(order, []),
        "documents": signed,
        "unsigned": to_sign,
        "locked": order.is_locked(at),
        "advice": port_codes.MEANING.get(order.code, ""),
        "fix": step_of(port_codes.FIELD_OF.get(order.code, "")),
        "waits": port_temporary.waiting(order, at=at),
        "held": held(order) if order.state == PortState.COMPLETED else [],
    }


def held(order: PortOrder) -> list[tuple[int, str]]:
    """Return the numbers of a completed order as they stand in the inventory: id and number."""
    ported = PortNumber.objects.filter(order=order).values("e164")
    found = PhoneNumber.objects.held().filter(e164__in=ported).select_related("area").order_by("e164")
    return [(number.pk, messages.display(number)) for number in found[:SHOWN]]


def documents(order: PortOrder) -> list[PortDocument]:
    """Return the uploaded versions of the signed form, the newest first."""
    return list(PortDocument.objects.filter(order=order).select_related("by").order_by("-version"))


def unsigned(order: PortOrder, signed: Sequence[PortDocument]) -> Promise | str:
    """Return why the newest of the uploaded forms does not count any more, or an empty text."""
    if not signed or not order.is_editable():
        return ""
    return port_signed.refusal(order, porting.numbers_of(order).e164s) or ""


def _first(order: PortOrder) -> str:
    return PortNumber.objects.filter(order=order).order_by("e164").values_list("e164", flat=True).first() or ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list of orders."""

    order: PortOrder
    numbers: str
    count: int
    tone: str
    icon: str
    on: date | None


def rows(orders: Sequence[PortOrder]) -> list[Row]:
    """Return the lines of the list; `area` and `provider` must be loaded."""
    found: dict[int, list[str]] = {}
    pairs = PortNumber.objects.filter(order__in=[one.pk for one in orders]).order_by("e164")
    for pk, e164 in pairs.values_list("order_id", "e164"):
        found.setdefault(pk, []).append(e164)
    return [
        Row(
            one,
            short(one, len(found.get(one.pk, [])), found.get(one.pk, [""])[0]),
            len(found.get(one.pk, [])),
            *TONES[PortState(one.state)],
            one.confirmed_on or one.requested_on,
        )
        for one in orders
    ]


def open_orders(*, at: datetime) -> list[dict[str, Any]]:
    """Return the orders under way with what comes next, those that wait for the tenant first; one statement."""
    found = PortOrder.objects.under_way().select_related("area", "provider")
    rows = found.annotate(count=Count("numbers"), first=Min("numbers__e164"))
    return [
        {"order": one, "numbers": short(one, one.count, one.first or ""), "next": next_step(one, at)}
        | dict(zip(("tone", "icon"), TONES[PortState(one.state)], strict=True))
        for one in rows[:FEW]
    ]


def about(number: PhoneNumber) -> dict[str, Any]:
    """Return what is going on with a number of the inventory: it leaves, or waits to be replaced by a ported one."""
    return {
        "leaves": PortOut.objects.of([number.pk]).select_related("provider").first(),
        "replaced_by": PortOrder.objects.open().filter(temporary=number.pk).first(),
    }


def leaving() -> list[dict[str, Any]]:
    """Return the tenant's numbers that another provider takes over, the next ones first."""
    found = PortOut.objects.ahead().select_related("number__area", "provider").order_by("leaves_on", "number__e164")
    return [{"out": out, "pk": out.number_id, "number": messages.display(out.number)} for out in found[:SHOWN]]


def unverified(at: datetime) -> bool:
    """Return whether the tenant has no verified address at all, so that nothing can be ported yet (rule V1)."""
    return not addresses.verified_areas(at)


def areas(at: datetime) -> list[LocalArea]:
    """Return the local areas whose numbers the tenant can port."""
    return list(LocalArea.objects.filter(pk__in=addresses.verified_areas(at)).order_by("sort_key"))
