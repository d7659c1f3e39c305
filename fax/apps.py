from django.apps import AppConfig


class FaxConfig(AppConfig):
    name = "fax"

    def ready(self) -> None:
        from fax import attachment, personal  # noqa: PLC0415 -- they need the loaded models
        from numbers import attachments  # noqa: PLC0415 -- the same
        from numbers import personal as known  # noqa: PLC0415 -- the same

        attachments.register(attachment.ATTACHMENT)
        for kind in personal.KINDS:
            known.register(kind)
