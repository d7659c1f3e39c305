"""Lists of calls: whose may be seen by whom, and how a call is written, the same in page, CSV and PDF (A3, T5).

| who                     | sees                                                                                     |
|-------------------------|------------------------------------------------------------------------------------------|
| staff member            | the calls of their own numbers within their own intervals, if the tenant lets them       |
| administrator           | outgoing and reverse-charged calls of months whose itemised bill was ordered before them |
| nobody                  | helplines; the last three digits of who called reverse-charged                           |

Every look leaves an event. Masking happens here, before a template, file or document sees a number.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from billing import written
from numbers import areas, call_months, helplines, itemisation, notation
from numbers.itemisation import Span
from numbers.models import Assignment, CallRecord, CallResult, Direction, PhoneNumber
from portal import audit, tenancy
from portal.models import User
from staff import settings as staff_settings
from staff.models import StaffMember

PAGE = 50
HIDDEN = 3  # digits
_READ = (
    *("pk", "started_at", "direction", "peer", "reverse_charged", "talk_seconds", "result", "cost_micro"),
    *("number__e164", "number__base_number", "number__extension_digits", "number__area__area_code"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as lists show it: `number` and `peer` after DIN 5008, `e164` and `peer_e164` for files, all masked."""

    at: datetime
    direction: str
    outgoing: bool
    number: str
    e164: str
    peer: str
    peer_e164: str
    seconds: int
    duration: str
    result: str
    cost: Decimal
    price: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of calls, newest first; `older` is where the next one begins, `is_first` whether it is the newest."""

    calls: list[Call]
    older: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Total:
    """What listed calls come to."""

    count: int
    seconds: int
    cost: Decimal


def allowed_to_staff() -> bool:
    """Return whether the tenant lets staff see their own calls."""
    return bool(staff_settings.of_tenant().sees_own_calls)


def of_person(member: StaffMember) -> "QuerySet[CallRecord]":
    """Return the calls of a person: had while they held the number, and within an interval of theirs (rule A3)."""
    held = Assignment.objects.filter(
        Q(until_at=None) | Q(until_at__gt=OuterRef("started_at")),
        number=OuterRef("number"),
        staff_member=member,
        from_at__lte=OuterRef("started_at"),
    )
    rows: QuerySet[CallRecord] = CallRecord.objects.filter(Exists(held), helplines.absent(), holder=member)
    return rows


def listed(spans: Sequence[Span], *, number_id: int | None = None) -> "QuerySet[CallRecord]":
    """Return the calls an administrator may see in these months, of one number or of all."""
    months = Q(pk__in=())
    for span in spans:
        within = Q(started_at__gte=call_months.bounds(span.first)[0])
        if span.end:
            within &= Q(started_at__lt=call_months.bounds(span.end)[0])
        months |= within
    rows: QuerySet[CallRecord] = CallRecord.objects.filter(
        months, helplines.absent(), Q(direction=Direction.OUT) | Q(reverse_charged=True)
    )
    return rows.filter(number=number_id) if number_id else rows


def month_span(month: date) -> Span | None:
    """Return a span of this month alone, or None where its calls may not be listed."""
    found = itemisation.span_of(month)
    return Span(month, call_months.bounds(month)[1].date(), found.masked) if found else None


def page(rows: "QuerySet[CallRecord]", spans: Sequence[Span] | None, *, before: str) -> Page:
    """Return the calls just older than `before`, else the newest. Without spans nothing but T5's own is masked."""
    place = _place(before)
    if place:
        at, pk = place
        rows = rows.filter(Q(started_at__lt=at) | Q(started_at=at, pk__lt=pk), started_at__lte=at)
    found = list(rows.order_by("-started_at", "-pk").values(*_READ)[: PAGE + 1])
    more = _mark(found[PAGE - 1]) if len(found) > PAGE else ""
    return Page(shaped(found[:PAGE], spans), more, place is None)


def all_of(rows: "QuerySet[CallRecord]", spans: Sequence[Span] | None) -> list[Call]:
    """Return every call of a list, newest first, as its pages show them."""
    return shaped(rows.order_by("-started_at", "-pk").values(*_READ), spans)


def total_of(rows: "QuerySet[CallRecord]") -> Total:
    """Return what the calls of a list come to."""
    found = rows.aggregate(count=Count("pk"), seconds=Sum("talk_seconds"), cost=Sum("cost_micro"))
    return Total(found["count"], found["seconds"] or 0, _euros(found["cost"] or 0))


def look(at_what: PhoneNumber | StaffMember | None, *, what: str, count: int, by: User, at: datetime) -> None:
    """Leave the event that somebody looked at calls: of a number, their own or a month (`what`), and how many (T5)."""
    if isinstance(at_what, PhoneNumber):
        kind, label = "number", at_what.e164
    else:
        kind, label = ("own_calls", at_what.name) if at_what else ("itemised_bill", "")
    entry = audit.Entry(kind, at_what.pk if at_what else None, label, {}, {"what": what, "count": count})
    audit.record("calls.viewed", [entry], by=by, at=at, tenant_id=tenancy.current())


def shaped(rows: Iterable[dict[str, Any]], spans: Sequence[Span] | None) -> list[Call]:
    """Return rows as lists show them, masked as the order of their month says."""
    directions = {value: str(label) for value, label in Direction.choices}
    results = {value: str(label) for value, label in CallResult.choices}
    codes = set(areas.codes())
    return [_call(row, _is_masked(row, spans), directions, results, codes) for row in rows]


def masked(text: str) -> str:
    """Return a number without its last three digits, however it is written; a short one keeps nothing."""
    digits = len(re.findall(r"\d", text))
    seen = 0 if digits <= 2 * HIDDEN else digits - HIDDEN

    def shown(match: re.Match[str]) -> str:
        nonlocal seen
        seen -= 1
        return match[0] if seen >= 0 else "x"

    return re.sub(r"\d", shown, text)


def _is_masked(row: dict[str, Any], spans: Sequence[Span] | None) -> bool:
    if row["reverse_charged"] and row["direction"] == Direction.IN:
        return True
    if spans is None:
        return False
    month = call_months.of(row["started_at"])
    return all(span.masked for span in spans if span.covers(month))


def _call(
    row: dict[str, Any], is_masked: bool, directions: dict[str, str], results: dict[str, str], codes: set[str]
) -> Call:
    peer, shown = row["peer"], _written(row["peer"], codes)
    if is_masked:
        peer, shown = masked(peer), masked(shown)
    cost = _euros(row["cost_micro"])
    return Call(
        at=row["started_at"],
        direction=directions[row["direction"]],
        outgoing=row["direction"] == Direction.OUT,
        number=notation.national(
            row["number__e164"],
            row["number__area__area_code"],
            base_number=row["number__base_number"],
            extension=row["number__extension_digits"],
        ),
        e164=row["number__e164"],
        peer=shown or _("anonymous"),
        peer_e164=peer,
        seconds=row["talk_seconds"],
        duration=duration(row["talk_seconds"]),
        result=results[row["result"]],
        cost=cost,
        price=written.euros(cost),
    )


def duration(seconds: int) -> str:
    """Return seconds as hours, minutes and seconds: 1:01:05 or 3:20."""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _written(peer: str, codes: set[str]) -> str:
    code = notation.area_code(peer, codes) if peer.startswith("+49") else None
    return notation.national(peer, code) if code else peer


def _euros(micro: int) -> Decimal:
    return (Decimal(micro) / 1_000_000).quantize(Decimal("0.0001"))


def _mark(row: dict[str, Any]) -> str:
    return f"{(row['started_at'] - _EPOCH) // timedelta(microseconds=1)}-{row['pk']}"


def _place(mark: str) -> tuple[datetime, int] | None:
    found = re.fullmatch(r"(\d{1,17})-(\d{1,18})", mark, re.ASCII)
    return (_EPOCH + timedelta(microseconds=int(found[1])), int(found[2])) if found else None


def own(user: User) -> StaffMember | None:
    """Return the staff member this person is in the announced tenant."""
    found: StaffMember | None = StaffMember.objects.filter(user=user).first()
    return found
