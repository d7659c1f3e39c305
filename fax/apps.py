from django.apps import AppConfig


class FaxConfig(AppConfig):
    name = "fax"

    def ready(self) -> None:
        from fax import demo, demo_faxes, history, personal, revoking  # noqa: PLC0415 -- they need the loaded models
        from numbers import attachments  # noqa: PLC0415 -- the same
        from numbers import history as trace  # noqa: PLC0415 -- the same
        from numbers import personal as known  # noqa: PLC0415 -- the same
        from portal import orphans  # noqa: PLC0415 -- the same
        from portal.demo import stories  # noqa: PLC0415 -- the same
        from staff import ties  # noqa: PLC0415 -- the same

        orphans.register("fax.FaxJob", "document", "fax", "preview")
        attachments.register(revoking.OF_NUMBERS)
        attachments.register_right(revoking.OF_NUMBERS)
        trace.teach(history.KINDS, history.SENTENCES)
        ties.register_access(revoking.OF_PEOPLE)
        stories.register(demo.tell)
        stories.register(demo_faxes.tell)
        for kind in personal.KINDS:
            known.register(kind)
