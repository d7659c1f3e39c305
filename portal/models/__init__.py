from portal.models.messages import OutboxMessage
from portal.models.people import Membership, Role, Tenant, User
from portal.models.trace import AuditEvent
from portal.models.work import JobRun, Submission

__all__ = ["AuditEvent", "JobRun", "Membership", "OutboxMessage", "Role", "Submission", "Tenant", "User"]
