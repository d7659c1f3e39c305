"""A real mail server for tests, which refuses, hangs and dies as it is told."""

import contextlib
import socket
import threading
from email import message_from_bytes

from aiosmtpd.controller import Controller


class Peer:
    """A mail server whose mood can be set: ok, 4xx, 5xx, hang, or die after it has taken the mail."""

    def __init__(self):
        self.mood, self.taken = "ok", []
        self.patience = threading.Event()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.mood in ("450 later", "550 never"):
            return self.mood
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        import asyncio

        if self.mood == "hang":
            await asyncio.sleep(1.5)
            return "451 too late"
        self.taken.append(message_from_bytes(envelope.content))
        if self.mood == "die after DATA":
            server.transport.abort()
        return "250 taken"

    @property
    def ids(self):
        return [mail["Message-ID"] for mail in self.taken]


@contextlib.contextmanager
def serving(settings):
    """Run a mail server to which the portal's mail goes."""
    peer = Peer()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(peer, hostname="127.0.0.1", port=port)
    controller.start()
    options = {"host": "127.0.0.1", "port": port, "timeout": 0.5}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    yield peer
    with contextlib.suppress(AssertionError):
        controller.stop()
