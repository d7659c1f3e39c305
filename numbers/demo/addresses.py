"""The demo's addresses, each state once, with letters printed as the operator does; and a pool to order from.

No PIN is shown anywhere: the one of the letter on its way stands in its PDF, in the operator's console.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from numbers import addresses, areas, letter_pdf, letters, orders, pins, pool, pool_loading, printing
from numbers.demo.story import Act, Story
from numbers.models import Address, LocalArea, LockedAddress, OrderKind, PinLetter
from portal import berlin
from portal.models import User

type Place = tuple[str, str, str, str, str]  # area code, street, house number, postcode, town

VERIFIED: tuple[Place, ...] = (
    ("30", "Beispielstraße", "1", "10115", "Berlin"),
    ("69", "Musterufer", "24", "60311", "Frankfurt am Main"),
    ("40", "Am Beispielhafen", "7", "20457", "Hamburg"),
    ("89", "Musterring", "88a", "80331", "München"),
)
ON_ITS_WAY: Place = ("221", "Domblickgasse", "12", "50667", "Köln")
WAITING: Place = ("341", "Messebogen", "3", "04109", "Leipzig")
LOCKED: Place = ("711", "Kesselweg", "5", "70173", "Stuttgart")
EXPIRED: Place = ("911", "Burgsteig", "16", "90403", "Nürnberg")
CAME_BACK: Place = ("511", "Am Leineufer", "9", "30159", "Hannover")
NEW: Place = ("351", "Elbhang", "2", "01067", "Dresden")
LONG = "Acme Gesellschaft für Messtechnik und industrielle Datenverarbeitung mbH & Co. KG"
REVIEW: Place = ("211", "Rheinbogen", "40", "40213", "Düsseldorf")
POOL = """Stammnummer;Größe;Portierungskennung;Einprägsam
030 231253;100;D123;*33, *00
030 231258;100;D123;*88
069 900095;100;D123;*55
040 669695;100;D123;
0221 47105;100;D123;
089 999987;100;D123;*77
"""
ORDERED = 2


def fill_pool(*, at: datetime) -> None:
    """Put the operator's blocks into the pool (needs the operator's role)."""
    pool_loading.load(POOL.encode(), by="load_demo", at=at)


def prove(told: Story, people: Mapping[str, User]) -> None:
    """Let Acme enter its addresses and prove most of them."""
    alice, erika = people["alice@acme.example"], people["erika@partner.example"]
    for place, month in zip(VERIFIED, (0, 1, 3, 8), strict=True):
        _sent(told, place, month, by=alice)
        told.on(month, 13, "11:30", _enter(place[0], by=alice))
    for place in (LOCKED, CAME_BACK, EXPIRED):
        _sent(told, place, 11, by=erika)
    for minute in range(letters.TRIES):
        told.on(11, 14, f"15:{minute:02}", _enter(LOCKED[0], by=erika, right=False))
    told.on(11, 19, "09:10", _came_back(CAME_BACK[0], by=people["olga@operator.example"]))
    told.on(13, 1, "00:10", _expire)
    told.lately(78, _ask(ON_ITS_WAY, by=alice))
    told.lately(46, _order("69", by=alice))
    told.lately(26, _ask(REVIEW, by=erika, company=LONG))
    told.lately(25, _ask(WAITING, by=alice))
    told.lately(24, _add(NEW, by=alice))


def post_letter(*, by: User, at: datetime) -> None:
    """Print and post the letter that Acme asked for first (needs the operator's role); the others wait."""
    first = PinLetter.objects.queued().first()
    others = list(PinLetter.objects.queued().exclude(pk=first.pk).values_list("pk", flat=True)) if first else []
    PinLetter.objects.filter(pk__in=others).update(state="review")
    for batch in printing.gather(by=by, at=at):
        claimed = printing.claim(at=at)
        sheets, hashes = printing.sheets(batch)
        printing.keep(claimed or batch, letter_pdf.batch(batch.pk, sheets, on=berlin.day(at)), hashes, at=at)
        printing.pdf(batch.pk, by=by, at=at)
        printing.printed(batch.pk, counted=batch.size, by=by, at=at)
        printing.posted(batch.pk, counted=batch.size, by=by, at=at)
    PinLetter.objects.filter(pk__in=others).update(state="queued")


def _sent(told: Story, place: Place, month: int, *, by: User) -> None:
    told.on(month, 6, "10:05", _ask(place, by=by))
    told.on(month, 9, "14:00", _post(place[0]))


def _add(place: Place, *, by: User, company: str = "Acme GmbH") -> Act:
    def act(at: datetime) -> None:
        code, street, house_number, postcode, town = place
        fields = {"company": company, "extra": "", "street": street, "house_number": house_number}
        area = LocalArea.objects.get(pk=areas.codes()[code])
        addresses.add(fields | {"postcode": postcode, "town": town}, area=area, by=by, at=at)

    return act


def _ask(place: Place, *, by: User, company: str = "Acme GmbH") -> Act:
    def act(at: datetime) -> None:
        _add(place, by=by, company=company)(at)
        letters.ask(_locked(place[0]), by=by, at=at + timedelta(minutes=1))

    return act


def _post(code: str) -> Act:
    def act(at: datetime) -> None:
        inside = PinLetter.objects.open().filter(address=_locked(code).pk)
        inside.update(state="printed")
        letters.posted(
            PinLetter.objects.locked(inside.values_list("pk", flat=True)), on=berlin.day(at), by="load_demo", at=at
        )

    return act


def _enter(code: str, *, by: User, right: bool = True) -> Act:
    """Enter a PIN that nobody ever sees: it is made at this moment, for the letter that was posted without one."""

    def act(at: datetime) -> None:
        address, pin = _locked(code), pins.new()
        letter = PinLetter.objects.open().get(address=address.pk)
        letter.pin_hash = pins.hashed(pin, letter)
        letter.save(update_fields=["pin_hash"])
        letters.enter(address, pins.normal(pin if right else pins.new()), by=by, at=at)

    return act


def _came_back(code: str, *, by: User) -> Act:
    def act(at: datetime) -> None:
        inside = PinLetter.objects.open().filter(address=_locked(code).pk)
        letters.came_back(PinLetter.objects.locked(inside.values_list("pk", flat=True))[0], by=by, at=at)

    return act


def _expire(at: datetime) -> None:
    letters.expire(Address.objects.locked(Address.objects.due(at).values_list("pk", flat=True)), at=at)


def _order(code: str, *, by: User) -> Act:
    def act(at: datetime) -> None:
        key = uuid4()
        pool.reserve_next(areas.codes()[code], count=ORDERED, basket=key, at=at)
        fee = Decimal("4.90") * ORDERED
        orders.place(key, kind=OrderKind.SINGLE, count_seen=ORDERED, fee_seen=fee, by=by, at=at)

    return act


def _locked(code: str) -> LockedAddress:
    found = Address.objects.current().filter(area__area_code=code).values_list("pk", flat=True)
    address: LockedAddress = Address.objects.locked(found)[0]
    return address
