from pathlib import Path

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NumbersConfig(AppConfig):
    name = "numbers"
    verbose_name = _("Phone numbers")
    path = str(Path(__file__).resolve().parent)  # the module is Python's own with our folder grafted on

    def ready(self) -> None:
        from numbers import (  # noqa: PLC0415 -- they need the loaded models
            attachments,
            forwarding,
            handovers,
            labels,
            people,
            personal,
            personal_calls,
            personal_kinds,
        )
        from portal import orphans  # noqa: PLC0415 -- the same
        from staff import ties  # noqa: PLC0415 -- the same

        orphans.register("numbers.NumberOrder", "proof")
        orphans.register("numbers.PortDocument", "name")
        attachments.register(handovers.ATTACHMENT)
        attachments.register(forwarding.ATTACHMENT)
        attachments.register(labels.ATTACHMENT)
        ties.register(people.TIE)
        for kind in (*personal_calls.KINDS, *personal_kinds.KINDS):
            personal.register(kind)
        personal.register(personal_kinds.PERSON, last=True)
