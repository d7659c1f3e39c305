from pathlib import Path

from django.apps import AppConfig


class NumbersConfig(AppConfig):
    name = "numbers"
    path = str(Path(__file__).resolve().parent)  # the module is Python's own with our folder grafted on

    def ready(self) -> None:
        from numbers import assignment, attachments, forwarding, labels  # noqa: PLC0415 -- they need the loaded models

        attachments.register(assignment.ATTACHMENT)
        attachments.register(forwarding.ATTACHMENT)
        attachments.register(labels.ATTACHMENT)
