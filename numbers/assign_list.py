"""Assigning numbers by a list, one line per number and person (rules A1 and G5).

| the line                                                   | kind      | effect                              |
|------------------------------------------------------------|-----------|-------------------------------------|
| a working number that nobody has                           | new       | assigned                            |
| a working number that somebody else has                    | takes     | changes hands, forwardings go (A8)  |
| a number the person has already                            | unchanged | –                                   |
| unreadable, unknown, inactive, locked person, twice listed | error     | –                                   |

Looking writes nothing. Good lines go in without the bad ones, as a bulk run with a result per number.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers import holders, messages, notation, number_lists
from numbers.holders import NOBODY, Holding
from numbers.models import NumberState, PhoneNumber, Usage
from numbers.notation import Unreadable
from numbers.number_lists import ListRefused
from numbers.outcomes import SENTENCES, Reason
from portal import cells
from portal.sorting import fold
from staff.models import StaffMember, StaffState

MOST_LINES = 10_000
NUMBER = frozenset(number_lists.WORDS["number"].split())
PERSON = frozenset(
    {"email", "mail", "emailadresse", "emailaddress", "mailadresse", "mitarbeiter", "person", "assignedto"}
)


class Kind(StrEnum):
    ERROR = "error"
    TAKES = "takes"
    NEW = "new"
    UNCHANGED = "unchanged"


KINDS: Mapping[Kind, Promise] = {
    Kind.ERROR: gettext_lazy("error"),
    Kind.TAKES: gettext_lazy("changes hands"),
    Kind.NEW: gettext_lazy("is assigned"),
    Kind.UNCHANGED: gettext_lazy("unchanged"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: where it stands in the file (from 1), number and address as they are written there."""

    at: int
    number: str
    email: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What would become of a line; `number` and `name` for people, `pair` the ids of both where it does something."""

    at: int
    number: str
    name: str
    kind: Kind
    reason: str = ""
    pair: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        return str(KINDS[self.kind])


class _Bad(ValueError):
    """A line that cannot be followed, with the reason."""


def read(content: bytes) -> list[Line]:
    """Return the lines of a list (number; e-mail address); raise ListRefused when it is no such list as a whole."""
    rows = number_lists.table(content)
    titles = [re.sub(r"[^a-z0-9]", "", fold(title)) for title in rows[0][1]]
    number = next((place for place, title in enumerate(titles) if title in NUMBER), None)
    person = next((place for place, title in enumerate(titles) if title in PERSON), None)
    if number is None or person is None:
        if not any("@" in cell for cell in rows[0][1]):
            raise ListRefused(
                _("Please name the columns in the first line, e.g. %(header)s") % {"header": "Rufnummer;E-Mail"}
            )
        person = next(place for place, cell in enumerate(rows[0][1]) if "@" in cell)
        number = 0 if person else 1
    else:
        rows = rows[1:]
    if len(rows) > MOST_LINES:
        raise ListRefused(_("The file has more than 10,000 lines. Please split it."))
    return [Line(at, _cell(row, number), _cell(row, person)) for at, row in rows]


def check(lines: Sequence[Line], *, at: datetime) -> list[Finding]:
    """Return what would become of each line now, in the order of the file; a constant number of statements."""
    e164s = [_parsed(line) for line in lines]
    found = PhoneNumber.objects.held().filter(e164__in=[e for e in e164s if isinstance(e, str)])
    numbers = {number.e164: number for number in found.select_related("area").defer("note")}
    held = holders.of_numbers([number.pk for number in numbers.values()], at=at)
    people, seen = _people(), dict[str, int]()
    findings = []
    for line, e164 in zip(lines, e164s, strict=True):
        try:
            if isinstance(e164, Unreadable):
                raise _Bad(str(e164.reason))
            if e164 in seen:
                raise _Bad(_("The same number stands in line %(line)s already.") % {"line": seen[e164]})
            seen[e164] = line.at
            member = _member(line, people)
            number = _number(numbers.get(e164), at)
            findings.append(_finding(line, number, member, held.get(number.pk, NOBODY)))
        except _Bad as bad:
            findings.append(Finding(line.at, line.number[:40], line.email[:80], Kind.ERROR, str(bad)))
    return findings


def counts(findings: Sequence[Finding]) -> dict[Kind, int]:
    """Return how many lines there are of each kind."""
    counted = Counter(finding.kind for finding in findings)
    return {kind: counted[kind] for kind in Kind}


def pairs(findings: Sequence[Finding]) -> dict[int, int]:
    """Return who gets which number, by ids, of the lines that do something."""
    return dict(finding.pair for finding in findings if finding.pair)


def _cell(row: Sequence[str], place: int) -> str:
    return cells.original(row[place]).strip() if place < len(row) else ""


def _parsed(line: Line) -> str | Unreadable:
    try:
        return notation.parse(line.number)
    except Unreadable as unreadable:
        return unreadable


def _people() -> dict[str, tuple[int, str, str]]:
    """Return everybody who has not left, by every address they are known under."""
    rows = StaffMember.objects.present().values_list("pk", "name", "state", "email", "user__email")
    return {
        address.casefold(): (pk, name, state)
        for pk, name, state, *addresses in rows
        for address in addresses
        if address
    }


def _member(line: Line, people: Mapping[str, tuple[int, str, str]]) -> tuple[int, str]:
    if not line.email:
        raise _Bad(_("The e-mail address is missing."))
    found = people.get(line.email.casefold())
    if found is None:
        raise _Bad(_("Nobody on your staff has this e-mail address. Create the person first, or correct it."))
    pk, name, state = found
    if state == StaffState.LOCKED:
        raise _Bad(str(SENTENCES[Reason.PERSON_LOCKED]))
    return pk, name


def _number(number: PhoneNumber | None, at: datetime) -> PhoneNumber:
    if number is None:
        raise _Bad(_("This number is not in your inventory."))
    state = number.state_at(at)
    if state == NumberState.PORT_IN_PENDING:
        raise _Bad(str(SENTENCES[Reason.PORTING]))
    if state == NumberState.INACTIVE:
        raise _Bad(str(SENTENCES[Reason.NOT_ASSIGNABLE]))
    return number


def _finding(line: Line, number: PhoneNumber, member: tuple[int, str], holding: Holding) -> Finding:
    shown, (pk, name) = messages.display(number), member
    if any(holder.staff_member_id == pk for holder in holding.present):
        return Finding(line.at, shown, name, Kind.UNCHANGED, str(SENTENCES[Reason.ALREADY_ASSIGNED]))
    pair = (number.pk, pk)
    if number.usage == Usage.FAX_SHARED or not holding.present:
        return Finding(line.at, shown, name, Kind.NEW, pair=pair)
    words = {"name": holding.present[0].name}
    return Finding(line.at, shown, name, Kind.TAKES, _("At present with %(name)s.") % words, pair)
