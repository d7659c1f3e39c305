"""Whether postcode, town and local area look as if they belonged together (rule V1): a doubt, never a decision.

There is no free list of which postcode lies in which local area, and borders differ. What is known: the region of a
postcode (its first digit) shares only some regions of area codes, and a town that has a local area of its own name is
rarely in another one.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers.models import LocalArea
from portal.sorting import fold

# First digit of a postcode: first digits of the area codes (without 0) that occur there.
_REGIONS = {
    "0": "3",
    "1": "3",
    "2": "345",
    "3": "3569",
    "4": "245",
    "5": "26",
    "6": "679",
    "7": "6789",
    "8": "789",
    "9": "36789",
}


def doubts(area: LocalArea, *, postcode: str, town: str) -> dict[str, Promise | str]:
    """Return what looks wrong, by field; empty if nothing does."""
    found: dict[str, Promise | str] = {}
    if area.area_code[0] not in _REGIONS[postcode[0]]:
        text = _("The postcode %(postcode)s and the local area %(area)s seem to lie in different regions.")
        found["postcode"] = str(text) % {"postcode": postcode, "area": area}
    namesakes = list(LocalArea.objects.filter(sort_key=fold(town)).order_by("area_code"))
    if namesakes and area not in namesakes:
        text = _("%(town)s usually belongs to the local area %(other)s, not to %(area)s.")
        found["area"] = str(text) % {"town": town, "other": namesakes[0], "area": area}
    return found
