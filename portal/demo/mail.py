"""The demo's mail: what would be sent lies as .eml files in DATA_DIR/mail and is shown at /demo/mail/."""

import email.policy
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage as Outgoing

NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{8}")


def folder() -> Path:
    return Path(settings.DATA_DIR) / "mail"


class FolderBackend(BaseEmailBackend):
    """Writes each mail as a file; it appears whole or not at all."""

    def send_messages(self, email_messages: Sequence[Outgoing]) -> int:
        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{datetime.now().astimezone():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
            unfinished = place / f".{name}"
            unfinished.write_bytes(message.message().as_bytes(policy=email.policy.SMTP))
            os.replace(unfinished, place / f"{name}.eml")
        return len(email_messages)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it lies in the folder."""

    name: str
    subject: str
    recipient: str
    at: datetime | None
    text: str
    html: str


def newest(count: int) -> list[Letter]:
    """Return the latest mails, the newest first."""
    names = sorted((path.stem for path in folder().glob("*.eml") if NAME.fullmatch(path.stem)), reverse=True)
    return [letter for name in names[:count] if (letter := read(name))]


def read(name: str) -> Letter | None:
    """Return the mail of that name, or None if there is none."""
    path = folder() / f"{name}.eml"
    if not NAME.fullmatch(name) or not path.is_file():
        return None
    with path.open("rb") as file:
        message = BytesParser(EmailMessage, policy=email.policy.default).parse(file)
    date = message["Date"]
    return Letter(
        name,
        str(message["Subject"] or ""),
        str(message["To"] or ""),
        parsedate_to_datetime(date) if date else None,
        _part(message, "plain"),
        _part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
