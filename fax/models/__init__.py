from fax.models.credential import FaxCredential, FaxMail, FaxSettings
from fax.models.job import FaxAttempt, FaxJob, FaxReason, FaxState, LockedFax

__all__ = [
    "FaxAttempt",
    "FaxCredential",
    "FaxJob",
    "FaxMail",
    "FaxReason",
    "FaxSettings",
    "FaxState",
    "LockedFax",
]
