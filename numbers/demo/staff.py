"""The people of the demo's tenants: 40 at Acme in six departments, five at Globex; invented, as all names here."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from numbers.demo.story import Act, Story
from portal.models import Role, User
from staff import invitations, members
from staff.members import Person
from staff.models import LockedMember, StaffMember

ACME: Mapping[str, Sequence[str]] = {
    "Verwaltung": ("Gesine Großkopf", "Ümit Öztürk", "Hannelore Müller-Lüdenscheid"),
    "Vertrieb": (
        *("Björn Bäcker", "Cäcilie Köhler", "Dörte Jäger", "Emil Eßer", "Fenja Friedrichsen", "Götz Grünewald"),
        *("Heiko Hübner", "Ines Ihlenfeld"),
    ),
    "Kundenservice": (
        *("Jördis Jürgens", "Kübra Kaya", "Lars Löffler", "Mareike Möller", "Nils Nußbaum", "Özlem Özdemir"),
        *("Paweł Pawlak", "Quirin Quandt"),
    ),
    "Buchhaltung": ("Rüdiger Röhrig", "Sönke Süß", "Theda Thießen", "Ursula Überschär"),
    "Technik": (
        *("Volker Völler", "Wiebke Wörner", "Xaver Xander", "Yasemin Yıldız", "Zoë Zänker", "Änne Ackermann"),
        "Ole Ostermann",
    ),
    "Logistik": (
        "Birgül Bulut",
        "Clemens Czichon",
        "Dragan Dürr",
        "Elfriede Engelhardt",
        "Fritz Fährmann",
        "Gül Gärtner",
    ),
}
GLOBEX: Mapping[str, Sequence[str]] = {
    "Verwaltung": ("Henriette Höß", "Ilker Işık"),
    "Lager": ("Jens Jäschke", "Käthe Küster"),
}
DEPARTMENT_OF = {
    "alice@acme.example": "Verwaltung",
    "bob@acme.example": "Vertrieb",
    "dora@acme.example": "Buchhaltung",
    "carl@globex.example": "Verwaltung",
}
WITHOUT_ADDRESS = frozenset({"Fritz Fährmann", "Dragan Dürr", "Elfriede Engelhardt", "Käthe Küster"})
IN_ENGLISH = frozenset({"Paweł Pawlak"})
LETTERS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i", "ł": "l"}
LOCKED, LEFT = "Heiko Hübner", "Xaver Xander"
INVITED, EXPIRED = "Mareike Möller", "Theda Thießen"


def employ(told: Story, departments: Mapping[str, Sequence[str]], *, domain: str, by: User) -> None:
    """Let a tenant's people come, from the beginning of the story on; those who sign in stand on the list first."""
    told.on(0, 1, "08:00", _enrol(by))
    for position, (department, name) in enumerate(_everybody(departments)):
        person = Person(
            name=name,
            email="" if name in WITHOUT_ADDRESS else f"{_mailbox(name)}@{domain}",
            extension=f"{100 + position}",
            department=department,
            language="en" if name in IN_ENGLISH else "de",
        )
        told.on(0 if position < 24 else position % 12, 1 + position % 27, f"09:{position:02}", _add(person, by))


def change(told: Story, *, alice: User, erika: User) -> None:
    """Let somebody be locked, somebody leave, one invitation expire and another one wait."""
    told.on(11, 28, "16:05", _each(members.leave, LEFT, by=erika))
    told.on(12, 20, "10:15", _each(members.lock, LOCKED, by=alice))
    told.on(12, 3, "11:20", _invite(EXPIRED, Role.BILLING, by=alice))
    told.lately(12, _invite(INVITED, Role.STAFF, by=alice))


def _everybody(departments: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for department, names in departments.items():
        yield from ((department, name) for name in names)


def _mailbox(name: str) -> str:
    """Return the part before the @: the first letter and the last name, in plain letters."""
    spelled = name.lower()
    for letter, plain_one in LETTERS.items():
        spelled = spelled.replace(letter, plain_one)
    plain = "".join(c for c in unicodedata.normalize("NFKD", spelled) if c.isascii())
    first, _, last = plain.rpartition(" ")
    return f"{first[0]}.{last}"


def _enrol(by: User) -> Act:
    def act(at: datetime) -> None:
        for member in members.enrol(by=by, at=at):
            person = Person(member.name, department=DEPARTMENT_OF.get(member.address, ""), language=member.language)
            members.change(_locked(member.name)[0], person, by=by, at=at + timedelta(minutes=1))

    return act


def _add(person: Person, by: User) -> Act:
    def act(at: datetime) -> None:
        members.add(person, by=by, at=at)

    return act


def _invite(name: str, role: Role, *, by: User) -> Act:
    def act(at: datetime) -> None:
        invitations.invite(_locked(name), role=role, by=by, at=at)

    return act


def _each(verb: Callable[..., object], name: str, *, by: User) -> Act:
    def act(at: datetime) -> None:
        verb(_locked(name), by=by, at=at)

    return act


def _locked(name: str) -> list[LockedMember]:
    rows: list[LockedMember] = StaffMember.objects.locked(
        StaffMember.objects.present().filter(name=name).values_list("pk", flat=True)
    )
    return rows
