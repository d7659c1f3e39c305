"""A story is a list of acts, each at an instant, told in order with the monthly job in between."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from billing import prices, slots
from numbers import areas, attachments, effects, forwarding, inventory, labels, lifecycle, outcomes, swap
from numbers.demo.sites import Site, price_class_of, usage_of
from numbers.models import LockedNumber, NumberState, PhoneNumber, Usage
from portal import audit, berlin
from portal.models import Tenant, User

type Act = Callable[[datetime], None]

JOB_AFTER_MIDNIGHT = timedelta(minutes=5)


class Story:
    """Acts of one tenant between its beginning, `months` ago, and now."""

    def __init__(self, tenant: Tenant, *, now: datetime, months: int) -> None:
        self.tenant, self.now = tenant, now
        self.begin = berlin.next_month(berlin.day(now), -months)
        self.months = months
        self._acts: list[tuple[datetime, Act]] = []

    def on(self, month: int, day: int, clock: str, act: Act) -> None:
        """Add an act at a time of day in the `month`-th month of the story, before the present one."""
        hours, minutes = map(int, clock.split(":"))
        on = berlin.next_month(self.begin, month) + timedelta(days=day - 1)
        self._acts.append((berlin.begin(on) + timedelta(hours=hours, minutes=minutes), act))

    def lately(self, hours: float, act: Act) -> None:
        """Add an act some hours ago, but within the present month."""
        this_month = berlin.begin(berlin.month(berlin.day(self.now)))
        self._acts.append((max(self.now - timedelta(hours=hours), this_month), act))

    def tell(self) -> dict[datetime, int]:
        """Let everything happen in its order; return how many deactivations took effect in each run of the job."""
        runs: dict[datetime, int] = {}
        for month in range(1, self.months + 1):
            at = berlin.begin(berlin.next_month(self.begin, month)) + JOB_AFTER_MIDNIGHT
            self._acts.append((at, lambda at: runs.__setitem__(at, self._take_effect(at))))
        for at, act in sorted(self._acts, key=lambda pair: pair[0]):
            if at <= self.now:
                act(at)
        return runs

    def _take_effect(self, at: datetime) -> int:
        due = PhoneNumber.objects.due(at).values_list("pk", flat=True)
        return effects.settle(PhoneNumber.objects.locked(due), at=at)


def _locked(e164s: Iterable[str]) -> list[LockedNumber]:
    held = PhoneNumber.objects.held().filter(e164__in=list(e164s))
    return list(PhoneNumber.objects.locked(held.values_list("pk", flat=True)))


def add(tenant: Tenant, site: Site, *, by: User, state: NumberState = NumberState.INACTIVE) -> Act:
    entries = [
        inventory.NewNumber(
            e164,
            areas.codes()[site.area_code],
            base_number=site.base if site.is_block else "",
            extension=e164[len(site.base) :] if site.is_block else "",
            label=label,
            usage=usage_of(label),
            price_class=price_class_of(e164),
            state=state,
        )
        for e164, label in zip(site.e164s(), site.labels, strict=True)
    ]
    return lambda at: _none(inventory.add(entries, tenant_id=tenant.pk, by=by, at=at))


def activate(e164s: Sequence[str], *, by: User) -> Act:
    def act(at: datetime) -> None:
        rows = _locked(e164s)
        quotes = prices.quotes({n.price_class for n in rows}, on=berlin.day(at))
        seen = {str(name): quote.monthly for name, quote in quotes.items()}
        _all_done(lifecycle.activate(rows, prices_seen=seen, by=by, at=at))

    return act


def schedule(*e164s: str, by: User) -> Act:
    return lambda at: _all_done(
        lifecycle.schedule_deactivation(_locked(e164s), date_seen=berlin.end_of_following_month(at), by=by, at=at)
    )


def withdraw(*e164s: str, by: User) -> Act:
    return lambda at: _all_done(lifecycle.withdraw(_locked(e164s), by=by, at=at))


def exchange(old: str, new: str, *, by: User) -> Act:
    def act(at: datetime) -> None:
        rows = {n.e164: n for n in _locked([old, new])}
        _all_done([swap.swap(rows[old], rows[new], by=by, at=at)])

    return act


def forward(e164: str, destination: str, *, by: User, when: str = "always", after_seconds: int | None = None) -> Act:
    return lambda at: forwarding.set_rule(
        _locked([e164])[0],
        when=when,
        destination=forwarding.read_destination(destination),
        after_seconds=after_seconds,
        by=by,
        at=at,
    )


def describe(e164: str, *, by: User, label: str | None = None, note: str | None = None) -> Act:
    """Change label (and the usage it speaks of) or note, keeping the other."""

    def act(at: datetime) -> None:
        row = _locked([e164])[0]
        labels.change(
            row,
            label=row.label if label is None else label,
            note=row.note if note is None else note,
            usage=Usage(row.usage) if label is None else usage_of(label),
            by=by,
            at=at,
        )

    return act


def leave(*e164s: str, state: NumberState, verb: str, by: User) -> Act:
    """Let numbers leave the inventory; their slots, if they have any, end with the day before."""

    def act(at: datetime) -> None:
        rows = _locked(e164s)
        snapshots = attachments.detach(rows, by_swap=False, by=by, at=at)
        if paid := [n.e164 for n in rows if n.state == NumberState.ACTIVE]:
            slots.end(paid, last_on=berlin.day(at) - timedelta(days=1))
        PhoneNumber.objects.filter(pk__in=[n.pk for n in rows]).update(state=state, active_since=None)
        entries = [
            audit.Entry("number", n.pk, n.e164, snapshots.get(n.pk, {}) | {"state": n.state}, {"state": state})
            for n in rows
        ]
        audit.record(verb, entries, by=by, at=at, tenant_id=rows[0].tenant_id)

    return act


def _all_done(found: Sequence[outcomes.Outcome]) -> None:
    if kept := [outcome for outcome in found if outcome.result != outcomes.Result.DONE]:
        raise RuntimeError(f"The story does not hold: {kept}")


def _none(_: object) -> None:
    """Drop a result that a story has no use for."""
