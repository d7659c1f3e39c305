"""How destinations and numbers that are known by their E.164 alone are written for people (rule N1)."""

import re
from collections.abc import Iterable

from numbers import areas, messages, notation
from numbers.models import PhoneNumber

type Names = dict[str, str]


def names(destinations: Iterable[str]) -> Names:
    """Return how each of these destinations is written: the tenant's own numbers with their extension, in one query."""
    wanted = set(destinations)
    numbers = [text for text in wanted if text.startswith("+49")]
    found = PhoneNumber.objects.filter(e164__in=numbers).select_related("area") if numbers else ()
    own = {number.e164: messages.display(number) for number in found}
    return {text: own.get(text) or written(text) for text in wanted}


def written(destination: str) -> str:
    """Return a destination as people write it: numbers of known areas after DIN 5008, SIP addresses bare."""
    if not destination.startswith("+49"):
        return re.sub(r"^sips?:", "", destination)
    code = notation.area_code(destination, set(areas.codes()))
    return notation.national(destination, code) if code else destination
