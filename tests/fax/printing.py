"""A computer that prints: requests of the Internet Printing Protocol, and what the answers say."""

import base64
import gzip
import io
from dataclasses import dataclass
from typing import Any

from django.test import Client

from fax import ipp
from fax.ipp import Attribute, Group, Operation, Status, Tag
from fax.models import FaxCredential

SECRET = "K7M3Q9XD2HVTW8RP"


@dataclass(frozen=True)
class Answer:
    """What came back: the answer's HTTP status, and if that is 200 its own status and attributes."""

    http: int
    status: Status | None = None
    job: dict[str, list[Any]] | None = None
    text: str = ""


def message(operation: int, number: str, *, to: str = "", job_id: int = 0, document: bytes = b"", **said: Any) -> bytes:
    attributes = [
        Attribute("attributes-charset", Tag.CHARSET, ["utf-8"]),
        Attribute("attributes-natural-language", Tag.LANGUAGE, ["de"]),
        Attribute("printer-uri", Tag.URI, [f"ipp://localhost/ipp/fax/{number}"]),
    ]
    attributes += [Attribute("job-id", Tag.INTEGER, [job_id])] if job_id else []
    if operation == Operation.SEND_DOCUMENT:
        attributes.append(Attribute("last-document", Tag.BOOLEAN, [True]))
    for name, value in said.items():
        tag = Tag.COLLECTION if isinstance(value, list) else Tag.KEYWORD
        attributes.append(Attribute(name.replace("_", "-"), tag, [value]))
    groups = [(Group.OPERATION, attributes)]
    if to:
        uri = [Attribute("destination-uri", Tag.URI, [f"tel:{to}"])]
        groups.append((Group.JOB, [Attribute("destination-uris", Tag.COLLECTION, [uri])]))
    return ipp.write((2, 0), operation, 7, groups) + document


def ask(
    operation: int, credential: FaxCredential | None, *, secret: str = SECRET, number: str = "", **said: Any
) -> Answer:
    """Send a request as the holder of a credential does."""
    number = number or (credential.number.e164[1:] if credential else "493023125020")
    headers = {}
    if credential:
        shown = base64.b64encode(f"{credential.username}:{secret}".encode()).decode()
        headers["Authorization"] = f"Basic {shown}"
    response = Client().post(
        f"/ipp/fax/{number}", message(operation, number, **said), content_type="application/ipp", headers=headers
    )
    if response.status_code != 200:
        return Answer(response.status_code, text=response.content.decode())
    read = ipp.read(io.BytesIO(response.content))
    return Answer(200, Status(read.operation_id), read.job, repr(read) + response.content.decode("utf-8", "replace"))


def printed(credential: FaxCredential, document: bytes, **said: Any) -> Answer:
    return ask(Operation.PRINT_JOB, credential, document=document, **said)


def packed(document: bytes) -> bytes:
    return gzip.compress(document)
