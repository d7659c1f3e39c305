"""Acme's story: five sites, numbers in every state, a year of clicks."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from numbers.demo import addresses, calls, holding, porting, staff
from numbers.demo import story as tell
from numbers.demo.sites import ACME_SITES, BERLIN, COLOGNE_PORTING, NOTES, Site, usage_of
from numbers.demo.story import Story
from numbers.models import NumberState, Usage
from portal.demo import stories
from portal.models import Tenant, User

OLD = ("+493023125058", "+493023125059", "+493023125060")  # deactivated and returned
BRANCH = ("+496990009117", "+496990009118", "+496990009119")  # ported out with the branch that was sold
DELAYS = (0, 0, 0, 1, 2, 4)  # months between the arrival of a number and its activation, in turn
SIP_DOMAIN = "telefon.acme.example"
DEACTIVATED = (  # e164, month and day of the request
    ("+493023125021", 4, 11),
    ("+493023125036", 6, 3),
    ("+496990009109", 8, 23),
    ("+493023125048", 10, 8),
    ("+494066969207", 11, 19),
)
WITHDRAWN = (  # e164, request, withdrawal
    ("+493023125009", (3, 12), (3, 25)),
    ("+496990009104", (9, 6), (10, 26)),
    ("+492214710303", (12, 4), (13, 2)),
)
SWAPPED = (  # old, new, month, day, the new one's label
    ("+493023125043", "+493023125056", 7, 15, "Haustechnik"),
    ("+496990009105", "+496990009115", 10, 21, "Finanzierung"),
    ("+494066969206", "+494066969213", 12, 9, "Disposition 2"),
)
LEAVING_THIS_MONTH = (("+493023125027", 9), ("+494066969202", 14), ("+492214710305", 21))  # requested last month


def story(tenant: Tenant, people: Mapping[str, User], *, now: datetime, months: int) -> Story:
    """Return Acme's story, ready to be told inside its tenant transaction."""
    told = Story(tenant, now=now, months=months)
    alice, erika = people["alice@acme.example"], people["erika@partner.example"]
    olga = people["olga@operator.example"]
    for site in ACME_SITES:
        told.on(site.month, 2, "10:15", tell.add(tenant, site, by=olga))
        _put_into_service(told, site, by=alice)
    told.on(13, 6, "11:40", tell.add(tenant, COLOGNE_PORTING, by=olga, state=NumberState.PORT_IN_PENDING))
    staff.employ(told, staff.ACME, domain="acme.example", by=alice)
    staff.change(told, alice=alice, erika=erika)
    holding.give(told, by=alice)
    holding.change(told, by=erika)
    _leave(told, by=alice, operator=olga)
    _change(told, alice=alice, erika=erika)
    _this_month(told, alice=alice, erika=erika)
    addresses.prove(told, people)
    porting.port(told, people)
    calls.declare(told, people)
    for hours, act in stories.acts(people):
        told.lately(hours, act)
    return told


def _put_into_service(told: Story, site: Site, *, by: User) -> None:
    groups: dict[int, list[str]] = {}
    for position, e164 in _used(site):
        delay = 0 if e164 in OLD + BRANCH else DELAYS[position % len(DELAYS)]
        groups.setdefault(min(site.month + delay, told.months - 1), []).append(e164)
        month, day = min(site.month + delay, told.months - 1), 5 + position % 20
        if position % 8 != 7 and usage_of(site.labels[position]) == Usage.VOICE:
            address = f"sip:{e164[-3:]}@{SIP_DOMAIN}"
            told.on(month, day, f"14:{position % 60:02}", tell.forward(e164, address, by=by))
    for month, e164s in groups.items():
        told.on(month, 3, "09:30", tell.activate(e164s, by=by))


def _used(site: Site) -> Iterator[tuple[int, str]]:
    """Every number with a label but each thirteenth, which is kept in reserve."""
    for position, (e164, label) in enumerate(zip(site.e164s(), site.labels, strict=True)):
        if label and position % 13 != 12:
            yield position, e164


def _leave(told: Story, *, by: User, operator: User) -> None:
    told.on(2, 13, "16:20", tell.schedule(*OLD, by=by))
    told.on(5, 10, "08:50", tell.leave(*OLD, state=NumberState.RETURNED, verb="number.returned", by=by))
    told.on(9, 17, "07:00", tell.leave(*BRANCH, state=NumberState.PORTED_OUT, verb="number.ported_out", by=operator))


def _change(told: Story, *, alice: User, erika: User) -> None:
    for e164, month, day in DEACTIVATED:
        told.on(month, day, "15:05", tell.schedule(e164, by=alice))
    told.on(12, 16, "10:25", tell.activate(["+493023125036"], by=erika))
    for e164, (month, day), (later_month, later_day) in WITHDRAWN:
        told.on(month, day, "11:10", tell.schedule(e164, by=erika))
        told.on(later_month, later_day, "17:45", tell.withdraw(e164, by=alice))
    for old, new, month, day, label in SWAPPED:
        told.on(month, day, "13:30", tell.exchange(old, new, by=alice))
        told.on(month, day, "13:32", tell.forward(new, f"sip:{new[-3:]}@{SIP_DOMAIN}", by=alice))
        told.on(month, day, "13:34", tell.describe(new, label=label, by=alice))
    for place, (e164, note) in enumerate(NOTES.items()):
        told.on(10 + place % 3, 24, f"12:{place:02}", tell.describe(e164, note=note, by=erika))
    told.on(5, 22, "09:05", tell.describe("+493023125034", label="Presse und Öffentlichkeit", by=alice))
    told.on(11, 14, "09:45", tell.describe("+493023125028", label="IT-Support (Hotline)", by=erika))
    for position in (4, 5, 6, 9, 10):
        e164 = BERLIN.e164s()[position]
        told.on(8, 20, f"10:{position:02}", tell.forward(e164, "030 23125-000", when="busy", by=alice))
    told.on(9, 4, "10:55", tell.forward("+493023125008", "069 90009 900", when="no_answer", after_seconds=20, by=alice))
    for e164, day in LEAVING_THIS_MONTH:
        told.on(13, day, "14:15", tell.schedule(e164, by=alice))


def _this_month(told: Story, *, alice: User, erika: User) -> None:
    told.lately(100, tell.schedule("+493023125041", by=alice))
    told.lately(76, tell.activate(["+493023125057"], by=alice))
    told.lately(75, tell.describe("+493023125057", label="Kundenservice 5", by=alice))
    told.lately(50, tell.exchange("+498999998404", "+498999998408", by=erika))
    told.lately(49, tell.describe("+498999998408", label="Vertrieb Süd 3", by=erika))
    told.lately(28, tell.schedule("+496990009107", by=erika))
    told.lately(4, tell.schedule("+493023125022", by=alice))
    told.lately(2.5, tell.activate(["+498999998409"], by=alice))
    told.lately(2.4, tell.describe("+498999998409", label="Büro München 2", by=alice))
    told.lately(1, tell.withdraw("+493023125041", by=alice))
