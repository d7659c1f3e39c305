"""Paper from HTML by WeasyPrint, without network: nothing but the document's own style sheet is read."""

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from weasyprint import CSS, HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse


class Refused(ValueError):
    """The document wanted to read something; nothing is fetched."""


class NoFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Refuses every address: images, fonts and style sheets from anywhere, files included."""

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        raise Refused(url)


def render(template: str, style: str, context: Mapping[str, Any]) -> bytes:
    """Return the PDF of a template with its style sheet, both of our own templates folder."""
    fetcher = NoFetcher()
    sheet = CSS(string=render_to_string(style), url_fetcher=fetcher)
    html = HTML(string=render_to_string(template, dict(context)), url_fetcher=fetcher, base_url=None)
    return bytes(html.write_pdf(stylesheets=[sheet]))
