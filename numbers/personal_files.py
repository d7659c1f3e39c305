"""A person's data as one file to take away: JSON for machines, a CSV per kind for spreadsheets, and what they mean."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from numbers import personal
from numbers.personal import Kind, Row
from portal import audit, cells
from portal.models import User
from staff import messages
from staff.models import StaffMember

NUMBERS = ("number", "other_number")  # columns in which a spreadsheet keeps the plus


def export(member: StaffMember, *, own: bool, at: datetime) -> bytes:
    """Return everything known about a person (`user` loaded) as a ZIP; nothing of it is kept (rules T3 and T6).

    `own`: for the person, else for an administrator, who gets no single calls.
    """
    known = {kind: kind.rows(member, own=own, at=at) for kind in personal.kinds()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, text: str) -> None:
            info = zipfile.ZipInfo(name, date_time=localtime(at).timetuple()[:6])
            archive.writestr(info, text.encode(), zipfile.ZIP_DEFLATED)

        put(_("readme.txt"), _readme(known, at=at))
        put("data.json", _json(known, at=at))
        for kind, rows in known.items():
            if rows is not None:
                put(f"{kind.name}.csv", _csv(kind, rows))
    return file.getvalue()


def note(member: StaffMember, *, own: bool, by: User, at: datetime) -> None:
    """Leave the event that somebody took a person's data away; the person is told if it was somebody else."""
    entry = audit.Entry("staff_member", member.pk, member.name, {}, {"own": own}, member.tenant_id)
    audit.record("staff.data_exported", [entry], by=by, at=at)
    if not own:
        messages.tell("data_exported", member, at=at, by=by.name or by.email)


def _readme(known: Mapping[Kind, list[Row] | None], *, at: datetime) -> str:
    lines = [
        _("What the phone number portal knows about a person, as of %(at)s.") % {"at": _written(localtime(at))},
        "",
    ]
    for kind, rows in known.items():
        if rows is None:
            lines.append(
                _("%(what)s: not included; only the person may read them, if the company shows them to staff.")
                % {"what": kind.title}
            )
        else:
            lines.append(f"{kind.name}.csv: {kind.title} ({len(rows)})")
    lines += [
        "",
        _("data.json holds the same for machines. Times are those of Berlin in the tables and UTC in data.json."),
    ]
    return "\r\n".join(lines) + "\r\n"


def _json(known: Mapping[Kind, list[Row] | None], *, at: datetime) -> str:
    found = {kind.name: rows for kind, rows in known.items() if rows is not None}
    content = {"made_at": at.isoformat(), "data": found}
    return json.dumps(content, default=_iso, ensure_ascii=False, indent=2)


def _iso(value: date) -> str:
    return (value.astimezone(UTC) if isinstance(value, datetime) else value).isoformat()


def _csv(kind: Kind, rows: list[Row]) -> str:
    lines = [[_cell(name, row[name]) for name in kind.columns] for row in rows]
    return cells.BOM + cells.table([kind.columns, *lines])


def _cell(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, datetime):
        return _written(localtime(value))
    if isinstance(value, dict):
        return cells.neutral(json.dumps(value, ensure_ascii=False)) if value else ""
    return cells.number(str(value)) if name in NUMBERS else cells.neutral(str(value))


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
