"""Numbers that no itemised list ever shows: the regulator's list of helplines, as the operator imports it (rule T5)."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from numbers import call_lines
from numbers.models import Helpline


def replace(lines: Iterable[str]) -> int:
    """Make the list what these lines say, `number` or `number;name` each; return how many numbers it has now.

    It counts at once for everything that is stored already. Raises call_lines.Unusable for a line that is no number,
    and changes nothing then.
    """
    wanted: dict[str, str] = {}
    for line in filter(str.strip, lines):
        number, _, name = line.strip().partition(";")
        found = call_lines.peer(number)
        if not found:
            raise call_lines.Unusable("bad_peer")
        wanted[found] = name.strip()[:120]
    Helpline.objects.exclude(number__in=wanted).delete()
    Helpline.objects.bulk_create(
        [Helpline(number=number, name=name) for number, name in wanted.items()],
        update_conflicts=True,
        unique_fields=["number"],
        update_fields=["name"],
    )
    return len(wanted)


def absent() -> Q:
    """Return the condition under which a call may be listed: its other number is no helpline."""
    return ~Q(Exists(Helpline.objects.filter(number=OuterRef("peer"))))
