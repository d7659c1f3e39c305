"""Who has which number in the demo: sixty of Acme's, some shared, one that changed hands and one that will."""

from datetime import datetime

from numbers import assignment
from numbers.demo import story as tell
from numbers.demo.story import Act, Story
from numbers.models import PhoneNumber, Usage
from portal import berlin
from portal.models import User
from staff.models import StaffMember

MOST = 60
BOBS = "+493023125007"  # Vertrieb Außendienst
CHANGED, PLANNED = "+493023125010", "+493023125011"  # Kundenservice 2 and 3
SHARED_BY = 3


def give(told: Story, *, by: User, most: int = MOST) -> None:
    """Let the tenant's staff get their numbers once most of both are there."""
    told.on(12, 22, "13:10", _hand_out(by, most))


def change(told: Story, *, by: User) -> None:
    """Let one number change hands last month, and plan it for another at the beginning of the next."""
    told.on(13, 5, "10:30", _hand_over(CHANGED, "Lars Löffler", by))
    told.on(13, 5, "10:35", tell.forward(CHANGED, "sip:010@telefon.acme.example", by=by))
    told.lately(30, _hand_over(PLANNED, "Nils Nußbaum", by, later=True))


def _hand_out(by: User, most: int) -> Act:
    def act(at: datetime) -> None:
        people = list(StaffMember.objects.active().order_by("sort_key", "pk"))
        bob = next((person for person in people if person.name == "Bob Brandt"), people[0])
        rows = PhoneNumber.objects.active(at).order_by("e164").values_list("pk", flat=True)[:most]
        numbers = PhoneNumber.objects.locked(rows)
        shared = [number for number in numbers if number.usage == Usage.FAX_SHARED]
        to = {number.pk: people[position % len(people)] for position, number in enumerate(numbers)}
        to |= {number.pk: bob for number in numbers if number.e164 == BOBS}
        assignment.assign_each(numbers, to=to, by=by, at=at)
        for more in range(1, SHARED_BY):
            others = {n.pk: people[(people.index(to[n.pk]) + 5 * more) % len(people)] for n in shared}
            assignment.assign_each(shared, to=others, by=by, at=at)

    return act


def _hand_over(e164: str, name: str, by: User, *, later: bool = False) -> Act:
    def act(at: datetime) -> None:
        numbers = PhoneNumber.objects.locked(PhoneNumber.objects.held().filter(e164=e164).values_list("pk", flat=True))
        person = StaffMember.objects.get(name=name)
        from_at = berlin.begin(berlin.next_month(berlin.day(at))) if later else None
        assignment.assign(numbers, staff_member=person, from_at=from_at, by=by, at=at)

    return act
