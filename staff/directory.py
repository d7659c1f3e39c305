"""The list of the tenant's people: which part of it an address asks for, found and counted (rule G4)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from itertools import batched
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal import berlin, cells
from portal.models import Membership, Role
from portal.shell import hue, initials
from portal.sorting import fold
from portal.tenancy import tenant_transaction
from staff.models import Invitation, StaffMember, StaffState

SIZES = (25, 50, 100)
STATES = ("active", "locked", "left")
ACCESS = ("none", "invited", *Role.values)
SORTS = ("name", "department", "extension", "since")
CHUNK = 500
_ADDRESS = Coalesce("user__email", "email")
_SHOWN = ("pk", "name", "address", "extension", "department", "state", "role", "invited_until")
_WRITTEN = (*_SHOWN[1:], "language", "created_at", "left_at")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of the list, as the address of the page names it: filters, order, page. `state` "" is who has not left."""

    q: str = ""
    state: str = ""
    access: str = ""
    department: str = ""
    sort: str = "name"
    size: int = 50
    page: int = 1

    def query(self, **changes: Any) -> str:
        """Return the query string for this part with some of it changed; what is usual is left out."""
        usual = {field.name: field.default for field in fields(self)}
        asked = asdict(replace(self, **({"page": 1} | changes)))
        return urlencode({name: value for name, value in asked.items() if value != usual[name]})

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or filter beside the state is set."""
        return bool(self.q or self.access or self.department)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people match, by state; `present` are all who have not left."""

    present: int
    active: int
    locked: int
    left: int

    def of(self, state: str) -> int:
        return int(getattr(self, state or "present"))


def counts(wanted: Wanted, *, at: datetime) -> Counts:
    """Count who matches search and filters, by state, in one statement."""
    found = _matching(wanted, at).aggregate(
        active=Count("pk", filter=Q(state=StaffState.ACTIVE)),
        locked=Count("pk", filter=Q(state=StaffState.LOCKED)),
        left=Count("pk", filter=Q(state=StaffState.LEFT)),
    )
    return Counts(found["active"] + found["locked"], **found)


def rows(wanted: Wanted, *, at: datetime) -> "QuerySet[Any, dict[str, Any]]":
    """Return who matches, as values in the order wanted."""
    found: QuerySet[Any, dict[str, Any]] = _part(wanted, at).values(*_SHOWN)
    return found


def departments() -> list[str]:
    """Return the departments there are, as a German list sorts them."""
    names = StaffMember.objects.present().exclude(department="").values_list("department", flat=True).distinct()
    return sorted(names, key=fold)


def draw(found: Iterable[Mapping[str, Any]], *, at: datetime) -> list[dict[str, Any]]:
    """Return rows as a page shows them: initials, and what the person can get into."""
    return [
        dict(row) | {"initials": initials(row["name"]), "hue": hue(row["name"]), "access": access(row, at=at)}
        for row in found
    ]


def access(row: Mapping[str, Any], *, at: datetime) -> str:
    """Say what somebody can get into: their role, an open or expired invitation, or nothing."""
    if row["role"]:
        return str(Role(row["role"]).label)
    if until := row["invited_until"]:
        return _("Invited") if until > at else _("Invitation expired")
    return _("Without login")


def csv(wanted: Wanted, *, tenant_id: int, user_id: int, at: datetime) -> Iterator[str]:
    """Yield who matches as CSV lines in the present language, in a transaction of its own (rule N4)."""
    yield cells.BOM + cells.table([_titles()])
    with tenant_transaction(tenant_id, user_id=user_id):
        found = _part(wanted, at).values(*_WRITTEN).iterator(chunk_size=CHUNK)
        for some in batched(found, CHUNK):
            yield cells.table(_cells(row, at) for row in some)


def _titles() -> list[str]:
    return [
        *(_("Name"), _("E-mail"), _("Extension"), _("Department"), _("Language")),
        *(_("State"), _("Login"), _("Since"), _("Left on")),
    ]


def _cells(row: Mapping[str, Any], at: datetime) -> list[str]:
    texts = (row["name"], row["address"], row["extension"], row["department"])
    left = berlin.day(row["left_at"]).isoformat() if row["left_at"] else ""
    state = str(StaffState(row["state"]).label)
    since = berlin.day(row["created_at"]).isoformat()
    return [*map(cells.neutral, texts), row["language"], state, access(row, at=at), since, left]


def written(at: datetime) -> str:
    """Return a day as the present language writes it."""
    return date_format(berlin.day(at), "SHORT_DATE_FORMAT")


def _part(wanted: Wanted, at: datetime) -> "QuerySet[StaffMember]":
    found = _matching(wanted, at)
    found = found.filter(state=wanted.state) if wanted.state else found.exclude(state=StaffState.LEFT)
    return found.order_by(*_order(wanted.sort))


def _matching(wanted: Wanted, at: datetime) -> "QuerySet[StaffMember]":
    mine = Membership.objects.filter(tenant_id=OuterRef("tenant_id"), user_id=OuterRef("user_id"))
    open_one = Invitation.objects.filter(member_id=OuterRef("pk"), accepted_at=None, revoked_at=None)
    found: QuerySet[StaffMember] = StaffMember.objects.annotate(
        address=_ADDRESS,
        role=Coalesce(Subquery(mine.values("role")[:1]), NullIf("role_kept", Value(""))),
        invited_until=Subquery(open_one.values("expires_at")[:1]),
    )
    for term in wanted.q.split():
        found = found.filter(
            Q(sort_key__contains=fold(term))
            | Q(address__icontains=term)
            | Q(extension__startswith=term)
            | Q(department__icontains=term)
        )
    if wanted.department:
        found = found.filter(department=wanted.department)
    return found.filter(_with_access(wanted.access, at)) if wanted.access else found


def _with_access(access: str, at: datetime) -> Q:
    if access == "invited":
        return Q(invited_until__gt=at)
    return Q(role=None) if access == "none" else Q(role=access)


def _order(sort: str) -> list[Any]:
    name = sort.removeprefix("-")
    key: Any = {
        "name": F("sort_key"),
        "department": NullIf("department", Value("")),
        "extension": NullIf("extension", Value("")),
        "since": F("created_at"),
    }[name]
    ordered = key.desc(nulls_last=True) if sort.startswith("-") else key.asc(nulls_last=True)
    return [ordered, "sort_key", "pk"]
