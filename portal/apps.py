from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        from portal import checks, logs, lookups, signin  # noqa: F401, PLC0415 -- they need the loaded models

        logs.configure()
        signin.connect()
