from fax.models.credential import FaxCredential, FaxMail, FaxSettings

__all__ = ["FaxCredential", "FaxMail", "FaxSettings"]
