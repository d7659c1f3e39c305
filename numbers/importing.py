"""Taking a list of numbers into a tenant's inventory, line by line (rule G5).

| the number                                   | line becomes | effect                       |
|----------------------------------------------|--------------|------------------------------|
| nobody holds it                              | new          | added, inactive and free     |
| the tenant holds it, the line says the same  | unchanged    | –                            |
| the tenant holds it, the line says otherwise | conflict     | –                            |
| another tenant holds it                      | conflict     | – (without saying who)       |
| cannot be read, or stands in the list twice  | error        | –                            |

What a line leaves empty is not compared. Good lines go in without the bad ones.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import PriceClass
from numbers import areas, inventory, notation
from numbers.inventory import NewNumber
from numbers.models import PhoneNumber, Usage
from numbers.notation import Unreadable
from numbers.number_lists import Line, NumberList
from portal.models import User
from portal.rehearsal import rehearsal
from portal.sorting import fold

USAGES = {
    Usage.VOICE: "voice sprache sprachetelefonie telefonie",
    Usage.CONFERENCE: "conference konferenz",
    Usage.FAX_PERSONAL: "personalfax personlichesfax faxpersonal faxpersonlich",
    Usage.FAX_SHARED: "sharedfax gemeinsamesfax faxshared faxgemeinsam",
}
PRICE_CLASSES = {
    PriceClass.STANDARD: "standard normal",
    PriceClass.PREMIUM: "premium easytoremember leichtzumerken einpragsam",
}
_USAGE_OF = {word: usage for usage, words in USAGES.items() for word in words.split()}
_PRICE_CLASS_OF = {word: price_class for price_class, words in PRICE_CLASSES.items() for word in words.split()}


class Kind(StrEnum):
    NEW = "new"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    ERROR = "error"


KINDS: Mapping[Kind, Promise] = {
    Kind.NEW: gettext_lazy("new"),
    Kind.UNCHANGED: gettext_lazy("unchanged"),
    Kind.CONFLICT: gettext_lazy("conflict"),
    Kind.ERROR: gettext_lazy("error"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one line: `at` is its place in the file, `text` the number (as written, if it is an error)."""

    at: int
    text: str
    kind: Kind
    reason: str = ""


class _Bad(ValueError):
    """A line that cannot be taken, with the reason."""


def check(numbers: NumberList, *, tenant_id: int, by: User | str, at: datetime) -> list[Finding]:
    """Return what `take` would do, without doing it (rule G5)."""
    with rehearsal():
        return take(numbers, tenant_id=tenant_id, by=by, at=at)


def take(numbers: NumberList, *, tenant_id: int, by: User | str, at: datetime) -> list[Finding]:
    """Add the new numbers of a list to the announced tenant, leaving one event each; return one finding per line."""
    wanted: dict[str, tuple[Line, NewNumber]] = {}
    findings: dict[int, Finding] = {}
    for line in numbers.lines:
        try:
            entry = _entry(line)
            if twin := wanted.get(entry.e164):
                raise _Bad(_("The same number stands in line %(line)s already.") % {"line": twin[0].at})
            wanted[entry.e164] = (line, entry)
        except (Unreadable, _Bad) as error:
            findings[line.at] = Finding(line.at, _as_written(line), Kind.ERROR, str(error))
    present = _present(list(wanted))
    fresh = [entry for e164, (_line, entry) in wanted.items() if e164 not in present]
    added = {n.e164 for n in inventory.add(fresh, tenant_id=tenant_id, by=by, at=at)} if fresh else set()
    # What was not added meanwhile came in by somebody else's import, or belongs to somebody else.
    present |= _present([entry.e164 for entry in fresh if entry.e164 not in added])
    for e164, (line, entry) in wanted.items():
        kind, reason = (Kind.NEW, "") if e164 in added else _compared(line, entry, present.get(e164))
        findings[line.at] = Finding(line.at, e164, kind, reason)
    return [findings[line.at] for line in numbers.lines]


def counts(findings: Sequence[Finding]) -> dict[Kind, int]:
    """Return how many lines there are of each kind."""
    counted = Counter(finding.kind for finding in findings)
    return {kind: counted[kind] for kind in Kind}


def _entry(line: Line) -> NewNumber:
    base, extension, e164 = _split(line)
    code = notation.area_code(e164, areas.codes().keys())
    if code is None or len(base) <= len(code) + 3:
        raise _Bad(_("There is no local area with this area code."))
    label, note = line.text("label"), line.text("note")
    if len(label) > 60:
        raise _Bad(_("The label is longer than 60 characters."))
    if len(note) > 1000:
        raise _Bad(_("The note is longer than 1,000 characters."))
    return NewNumber(
        e164,
        areas.codes()[code],
        base_number=base,
        extension=extension,
        label=label,
        note=note,
        usage=_usage(line.text("usage")),
        price_class=_price_class(line.text("price_class")),
    )


def _split(line: Line) -> tuple[str, str, str]:
    """Return base number, extension and number; either of the first two may follow from the others (rule N1)."""
    written, base_text, extension = line.text("number"), line.text("base"), line.text("extension").lstrip("-\u2011 ")
    if extension and not (extension.isascii() and extension.isdigit() and len(extension) <= 6):
        raise _Bad(_("The extension must be one to six digits."))
    if base_text and not written:
        if not extension:
            raise _Bad(_("The extension is missing."))
        e164 = notation.parse(notation.unquoted(base_text) + extension)
        return e164[: -len(extension)], extension, e164
    e164 = notation.parse(written)
    if not base_text and not extension:
        return e164, "", e164
    if base_text:
        base = notation.parse(notation.unquoted(base_text) + (extension or "0"))[: -len(extension or "0")]
    else:
        base = e164[: -len(extension)]
    rest = e164.removeprefix(base)
    if base + rest != e164 or not 1 <= len(rest) <= 6 or extension not in ("", rest):
        raise _Bad(_("The number is not made of this base number and this extension."))
    return base, rest, e164


def _usage(text: str) -> str:
    if not text:
        return Usage.VOICE
    word = _word(text)
    if word in _USAGE_OF:
        return _USAGE_OF[word]
    known = ", ".join(str(usage.label) for usage in Usage)
    raise _Bad(_("The usage “%(usage)s” is unknown. Known are: %(known)s") % {"usage": text[:40], "known": known})


def _price_class(text: str) -> str:
    if not text:
        return PriceClass.STANDARD
    if _word(text) in _PRICE_CLASS_OF:
        return _PRICE_CLASS_OF[_word(text)]
    known = ", ".join(str(price_class.label) for price_class in PriceClass)
    raise _Bad(_("The price class “%(name)s” is unknown. Known are: %(known)s") % {"name": text[:40], "known": known})


def _word(text: str) -> str:
    return "".join(character for character in fold(text) if character.isalnum())


def _present(e164s: Sequence[str]) -> dict[str, PhoneNumber]:
    rows = PhoneNumber.objects.held().filter(e164__in=e164s).defer("note") if e164s else []
    return {row.e164: row for row in rows}


def _compared(line: Line, entry: NewNumber, present: PhoneNumber | None) -> tuple[Kind, str]:
    """Return whether the line says what is there already; only what it does say is compared."""
    if present is None:
        return Kind.CONFLICT, _("The number is not available.")
    stated = {
        _("label"): (line.text("label"), entry.label, present.label),
        _("usage"): (line.text("usage"), str(Usage(entry.usage).label), str(Usage(present.usage).label)),
        _("price class"): (line.text("price_class"), entry.price_class, present.price_class),
        _("extension"): (entry.extension, entry.extension, present.extension_digits),
    }
    differing = [
        _("%(what)s is “%(there)s”") % {"what": what, "there": there}
        for what, (written, wanted, there) in stated.items()
        if written and wanted != there
    ]
    if not differing:
        return Kind.UNCHANGED, ""
    differences = ", ".join(differing)
    return Kind.CONFLICT, _("Present with other values: %(differences)s. Nothing was changed.") % {
        "differences": differences
    }


def _as_written(line: Line) -> str:
    return (line.text("number") or " ".join(filter(None, (line.text("base"), line.text("extension")))))[:40]
