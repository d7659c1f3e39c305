"""The tenant's people, their invitations, and what the tenant lets them do."""

from staff.models.invitation import Invitation
from staff.models.member import LockedMember, StaffMember, StaffState
from staff.models.settings import StaffSettings

__all__ = ["Invitation", "LockedMember", "StaffMember", "StaffSettings", "StaffState"]
