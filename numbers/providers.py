"""The market's providers with their porting codes, from a list of the operator's or the packaged example."""

import csv
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from numbers.models import PortProvider
from portal import audit
from portal.models import User
from portal.sorting import fold

EXAMPLE = Path(__file__).with_name("providers.csv")  # one well-known, the others invented


class ListUnusable(ValueError):
    """A line of the list is no porting code with a name; the text says which."""


def load(lines: Iterable[str], *, by: User | str, at: datetime) -> tuple[int, int]:
    """Take a list in: per line `code;name`, a heading is left out; return how many providers were added and renamed.

    Who is missing from the list stays, for orders name them. Raises ListUnusable; then nothing was changed.
    """
    wanted = dict(_read(lines))
    known = {provider.code: provider for provider in PortProvider.objects.filter(code__in=wanted)}
    fresh = [
        PortProvider(code=code, name=name, sort_key=fold(name)) for code, name in wanted.items() if code not in known
    ]
    renamed = [provider for code, provider in known.items() if provider.name != wanted[code]]
    entries = [audit.Entry("provider", None, f"{p.name} ({p.code})", {}, {"name": p.name}) for p in fresh]
    for provider in renamed:
        name = wanted[provider.code]
        entries.append(audit.Entry("provider", provider.pk, str(provider), {"name": provider.name}, {"name": name}))
        provider.name, provider.sort_key = name, fold(name)
    PortProvider.objects.bulk_create(fresh)
    PortProvider.objects.bulk_update(renamed, ["name", "sort_key"])
    audit.record("provider.set", entries, by=by, at=at)
    return len(fresh), len(renamed)


def _read(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for place, row in enumerate(csv.reader(lines, delimiter=";"), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (place == 1 and not re.fullmatch(r"D\d+", cells[0])):
            continue
        if len(cells) < 2 or not re.fullmatch(r"D[0-9]{3}", cells[0]) or not 1 <= len(cells[1]) <= 120:
            raise ListUnusable(f"Line {place} is not a porting code (D and three digits), a semicolon and a name.")
        yield cells[0], cells[1]
