"""What is known about a person beside calls: their entry, login, invitations, mails, what happened, what was erased."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from numbers.models import ErasureDecision
from numbers.personal import Decided, Row
from portal import memberships
from portal.models import AuditEvent, OutboxMessage, User
from portal.tenancy import current
from staff import members
from staff.models import Invitation, LockedMember, StaffMember


class _Person:
    name, title = "person", _("Entry in the list of staff")
    models: tuple[str, ...] = ()
    columns: tuple[str, ...] = (
        *("name", "email", "extension", "department", "language", "state", "created_at", "left_at"),
    )

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        return [{name: getattr(member, name) for name in self.columns} | {"email": member.address}]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        members.forget(member)
        return [Decided(True, "not_needed", 1)]


class _Login:
    name, title = "login", _("Login")
    models: tuple[str, ...] = ()
    columns: tuple[str, ...] = ("email", "role", "joined_at", "last_login", "language", "theme")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        user = member.user
        if user is None:
            return []
        membership = memberships.of([user.pk]).get(user.pk)
        row: Row = {"email": user.email, "role": membership.role if membership else member.role_kept}
        row |= {"joined_at": user.joined_at, "last_login": user.last_login}
        return [row | ({"language": user.language, "theme": user.theme} if own else {"language": "", "theme": ""})]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        return [Decided(False, "own_login", 0)]


class _Invitations:
    name, title = "invitations", _("Invitations")
    models: tuple[str, ...] = ("staff.Invitation",)
    columns: tuple[str, ...] = ("email", "role", "created_at", "expires_at", "accepted_at", "revoked_at")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        return list(Invitation.objects.filter(member=member).order_by("pk").values(*self.columns))

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        count, _models = Invitation.objects.filter(member=member).delete()
        return [Decided(True, "not_needed", count)]


class _Mails:
    name, title = "mails", _("Mails of the portal")
    models: tuple[str, ...] = ()
    columns: tuple[str, ...] = ("recipient", "template", "created_at", "sent_at", "state")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        found = OutboxMessage.objects.filter(tenant_id=current(), recipient=member.address) if member.address else []
        return [{name: getattr(row, name) for name in self.columns} for row in found]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        return [Decided(False, "mail_log", len(self.rows(member, own=False, at=at)))]


class _Trace:
    """What was done to the person, and (without naming anybody else) what they did themselves."""

    name, title = "trace", _("What happened")
    models: tuple[str, ...] = ()
    columns: tuple[str, ...] = ("at", "event", "about", "before", "after")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        events = AuditEvent.objects.filter(tenant_id=current())
        found = [
            {"at": e.at, "event": e.verb, "about": "person", "before": e.before, "after": e.after}
            for e in events.filter(object_type="staff_member", object_id=member.pk)
        ]
        acts = events.filter(actor=member.user_id) if member.user_id else events.none()
        found += [{"at": e.at, "event": e.verb, "about": e.object_type, "before": {}, "after": {}} for e in acts]
        return sorted(found, key=lambda row: str(row["at"]))

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        return [Decided(False, "accountable", len(self.rows(member, own=False, at=at)))]


class _Decisions:
    name, title = "erasure", _("What was erased and what was kept")
    models: tuple[str, ...] = ("numbers.ErasureDecision",)
    columns: tuple[str, ...] = ("at", "kind", "decision", "reason", "count")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        found = ErasureDecision.objects.filter(staff_member=member).order_by("pk").values(*self.columns)
        return list(found)

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        return []  # they say what became of everything else, without the name


KINDS = (_Login(), _Invitations(), _Mails(), _Trace(), _Decisions())
PERSON = _Person()
