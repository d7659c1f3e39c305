"""What the fax printer says of itself (IPP Everywhere, and FaxOut after PWG 5100.15): the same for everybody.

Clients ask for it before they have a user name, so nothing here is a tenant's. The number in its address is the one
that was asked for, whether there is such a number or not.
"""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.urls import reverse

from fax.ipp import Attribute, Operation, Tag
from fax.setup import address

A4 = (21000, 29700)  # hundredths of millimetres
FORMATS = ("application/pdf", "image/jpeg")
ANY_FORMAT = "application/octet-stream"  # the document says itself what it is
VERSIONS = ((1, 1), (2, 0))
STARTED = 1_767_225_600  # since when it is up, for times of jobs are told in seconds of that


def printer_attributes(number: str, *, at: datetime) -> list[Attribute]:
    """Return all attributes of the printer at the address of a number (its digits)."""
    uri = address(number)
    everything = _about_itself(uri, at=at) + _about_jobs() + _about_paper()
    return [Attribute(name, tag, values if isinstance(values, list) else [values]) for name, tag, values in everything]


def _about_itself(uri: str, *, at: datetime) -> list[tuple[str, Tag, Any]]:
    return [
        ("printer-uri-supported", Tag.URI, uri),
        ("uri-security-supported", Tag.KEYWORD, "tls" if uri.startswith("ipps") else "none"),
        ("uri-authentication-supported", Tag.KEYWORD, "basic"),
        ("printer-name", Tag.NAME, "Fax"),
        ("printer-info", Tag.TEXT, f"Fax ({settings.OPERATOR_NAME})"),
        ("printer-location", Tag.TEXT, ""),
        ("printer-make-and-model", Tag.TEXT, f"{settings.OPERATOR_NAME} Fax"),
        ("printer-more-info", Tag.URI, settings.PORTAL_URL + reverse("portal:help")),
        ("printer-uuid", Tag.URI, f"urn:uuid:{uuid5(NAMESPACE_URL, uri)}"),
        ("printer-state", Tag.ENUM, 3),  # idle: it always takes what comes
        ("printer-state-reasons", Tag.KEYWORD, "none"),
        ("printer-is-accepting-jobs", Tag.BOOLEAN, True),
        ("printer-up-time", Tag.INTEGER, int(at.timestamp()) - STARTED),
        ("queued-job-count", Tag.INTEGER, 0),
        ("ipp-versions-supported", Tag.KEYWORD, [f"{major}.{minor}" for major, minor in VERSIONS]),
        ("ipp-features-supported", Tag.KEYWORD, ["ipp-everywhere", "faxout"]),
        ("operations-supported", Tag.ENUM, list(Operation)),
        ("charset-configured", Tag.CHARSET, "utf-8"),
        ("charset-supported", Tag.CHARSET, ["utf-8", "us-ascii"]),
        ("natural-language-configured", Tag.LANGUAGE, "de"),
        ("generated-natural-language-supported", Tag.LANGUAGE, ["de", "en"]),
        ("pdl-override-supported", Tag.KEYWORD, "attempted"),
        ("color-supported", Tag.BOOLEAN, False),
        ("pages-per-minute", Tag.INTEGER, 2),
    ]


def _about_jobs() -> list[tuple[str, Tag, Any]]:
    return [
        ("document-format-default", Tag.MIME, FORMATS[0]),
        ("document-format-supported", Tag.MIME, [*FORMATS, ANY_FORMAT]),
        ("compression-supported", Tag.KEYWORD, ["none", "gzip"]),
        ("multiple-document-jobs-supported", Tag.BOOLEAN, False),
        ("multiple-operation-time-out", Tag.INTEGER, 300),
        ("multiple-operation-time-out-action", Tag.KEYWORD, "abort-job"),
        ("job-creation-attributes-supported", Tag.KEYWORD, ["copies", "destination-uris", "media", "media-col"]),
        ("job-ids-supported", Tag.BOOLEAN, True),
        ("which-jobs-supported", Tag.KEYWORD, ["completed", "not-completed"]),
        ("preferred-attributes-supported", Tag.BOOLEAN, False),
        ("job-k-octets-supported", Tag.RANGE, (0, 51_200)),
        ("job-impressions-supported", Tag.RANGE, (1, 100)),
        ("copies-default", Tag.INTEGER, 1),
        ("copies-supported", Tag.RANGE, (1, 1)),
        ("destination-uris-supported", Tag.KEYWORD, "destination-uri"),
        ("destination-uri-schemes-supported", Tag.URI_SCHEME, "tel"),
        ("multiple-destination-uris-supported", Tag.BOOLEAN, False),
        ("destination-uri-ready", Tag.NO_VALUE, None),
        ("number-of-retries-default", Tag.INTEGER, 3),
        ("number-of-retries-supported", Tag.RANGE, (3, 3)),
        ("confirmation-sheet-print-default", Tag.BOOLEAN, False),
        ("finishings-default", Tag.ENUM, 3),
        ("finishings-supported", Tag.ENUM, 3),
        ("orientation-requested-default", Tag.ENUM, 3),
        ("orientation-requested-supported", Tag.ENUM, [3, 4]),
        ("output-bin-default", Tag.KEYWORD, "face-down"),
        ("output-bin-supported", Tag.KEYWORD, "face-down"),
        ("print-color-mode-default", Tag.KEYWORD, "monochrome"),
        ("print-color-mode-supported", Tag.KEYWORD, "monochrome"),
        ("print-quality-default", Tag.ENUM, 4),
        ("print-quality-supported", Tag.ENUM, 4),
        ("printer-resolution-default", Tag.RESOLUTION, (204, 196, 3)),
        ("printer-resolution-supported", Tag.RESOLUTION, (204, 196, 3)),
        ("sides-default", Tag.KEYWORD, "one-sided"),
        ("sides-supported", Tag.KEYWORD, "one-sided"),
    ]


def _about_paper() -> list[tuple[str, Tag, Any]]:
    size = Attribute("media-size", Tag.COLLECTION, [_size()])
    margins = [Attribute(f"media-{side}-margin", Tag.INTEGER, [300]) for side in ("bottom", "left", "right", "top")]
    kind = [Attribute("media-source", Tag.KEYWORD, ["auto"]), Attribute("media-type", Tag.KEYWORD, ["stationery"])]
    a4 = [size, *margins, *kind]
    return [
        ("media-default", Tag.KEYWORD, "iso_a4_210x297mm"),
        ("media-ready", Tag.KEYWORD, "iso_a4_210x297mm"),
        ("media-supported", Tag.KEYWORD, "iso_a4_210x297mm"),
        ("media-col-default", Tag.COLLECTION, [a4]),
        ("media-col-ready", Tag.COLLECTION, [a4]),
        ("media-col-database", Tag.COLLECTION, [a4]),
        ("media-col-supported", Tag.KEYWORD, ["media-size", "media-source", "media-type"]),
        ("media-size-supported", Tag.COLLECTION, [_size()]),
        ("media-source-supported", Tag.KEYWORD, "auto"),
        ("media-type-supported", Tag.KEYWORD, "stationery"),
        *((f"media-{side}-margin-supported", Tag.INTEGER, 300) for side in ("bottom", "left", "right", "top")),
    ]


def _size() -> list[Attribute]:
    return [
        Attribute(name, Tag.INTEGER, [length]) for name, length in zip(("x-dimension", "y-dimension"), A4, strict=True)
    ]
