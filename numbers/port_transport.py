"""How messages get to old providers: by people (`manual`, the default), or by an adapter to a carriers' interface.

An adapter is a class without arguments, named by its dotted path in `PORTING_TRANSPORT`. It hands over; answers are
recorded by people on the desk. No adapter comes with the portal.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

MANUAL = "manual"


class TransportError(Exception):
    """The message was not handed over, or nobody knows whether it was; it is handed over again under the same key."""


class PortingTransport(Protocol):
    """What an adapter has to offer."""

    def hand_over(self, message: Mapping[str, Any]) -> str:
        """Hand over one message (see `port_export.message`) and return the reference it got, or an empty text.

        `auftrag` with `meldung` is the key under which a repeated message has to count once. Raises TransportError.
        """
        ...


def chosen() -> PortingTransport | None:
    """Return the adapter that is switched on, or None when people hand over."""
    if settings.PORTING_TRANSPORT == MANUAL:
        return None
    adapter: PortingTransport = import_string(settings.PORTING_TRANSPORT)()
    return adapter
