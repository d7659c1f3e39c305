"""Acme's faxes in the demo: one in each state, of Alice and of Bob, with a page to look at."""

import io
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from fax import conversion, jobs
from fax.models import FaxCredential, FaxJob, FaxReason, LockedFax
from portal import documents
from portal.demo.stories import Act
from portal.models import User

THEATRE, AGENCY = "+496990009123", "+494066969045"
LETTER = """Acme GmbH
Musterstraße 12a, 10115 Berlin

Angebot 2026-114

Sehr geehrte Damen und Herren,
vielen Dank für Ihre Anfrage. Gern bieten wir Ihnen an:

12 Telefone, Modell Nordlicht
1 Einrichtung"""


def tell(people: Mapping[str, User]) -> Iterable[tuple[float, Act]]:
    """Return who prints what how many hours ago, and what becomes of it."""
    alice, bob = people["alice@acme.example"], people["bob@acme.example"]
    return [
        (70, lambda at: jobs.sent(_sending(alice, "Angebot 2026-114.pdf", THEATRE, at), detail="", at=at)),
        (45, lambda at: jobs.fail(_sending(alice, "Bestellung 3301", AGENCY, at), FaxReason.BUSY, at=at)),
        (26, lambda at: jobs.cancel(_printed(alice, "Testseite", "", at), by=alice, at=at)),
        (1.9, lambda at: jobs.sent(_sending(bob, "Auftragsbestätigung 4711", AGENCY, at), detail="", at=at)),
        (1.5, lambda at: jobs.fail(_sending(bob, "Reklamation.docx", THEATRE, at), FaxReason.NO_FAX, at=at)),
        (0.6, lambda at: _known(_printed(bob, "Lieferschein 88", "", at), at)),
        (0.3, lambda at: _known(_printed(alice, "Rückfrage zum Vertrag", "", at), at)),
    ]


def _printed(person: User, title: str, destination: str, at: datetime) -> LockedFax:
    access = FaxCredential.objects.filter(staff_member__user=person, revoked_at=None).order_by("pk")
    used = access.select_related("number", "staff_member").first()
    if used is None:
        raise LookupError(f"{person} has no fax access in this story.")
    opened = jobs.open_job(used.number, used.staff_member, title=title, destination=destination, at=at)
    job: LockedFax = FaxJob.objects.locked([opened.pk])[0]
    jobs.arrived(job, documents.put(io.BytesIO(_page()[0]), "jpg"), at=at)
    return job


def _known(job: LockedFax, at: datetime) -> None:
    _document, fax, preview = _page()
    names = {"fax": documents.put(io.BytesIO(fax), "tif"), "preview": documents.put(io.BytesIO(preview), "png")}
    jobs.rendered(job, **names, pages=1, at=at)


def _sending(person: User, title: str, destination: str, at: datetime) -> LockedFax:
    job = _printed(person, title, destination, at)
    _known(job, at)
    jobs.begin(job, due_at=at, at=at)
    return job


@cache
def _page() -> tuple[bytes, bytes, bytes]:
    """Return a letter as it is printed, as a fax, and as the picture of its page."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 -- in the demo only; no other process needs it

    letter, said = Image.new("L", (1240, 1754), 255), io.BytesIO()
    for place, line in enumerate(LETTER.splitlines()):
        ImageDraw.Draw(letter).text((140, 160 + 60 * place), line, fill=0, font=ImageFont.load_default(34))
    letter.save(said, "JPEG")
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(said.getvalue())
        file.flush()
        with conversion.rendered(Path(file.name), "jpg") as pages:
            return said.getvalue(), pages.fax.read_bytes(), pages.preview.read_bytes()
