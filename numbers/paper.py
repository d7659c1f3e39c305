"""Paper from HTML by WeasyPrint, without network: nothing but the document's own style sheet and our fonts is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

_BUILT = Path(settings.BASE_DIR) / "build" / "static" / "portal" / "fonts"
# What style sheets call `packaged:…`: files of the front end's packages, built but never kept in the repository.
FONTS = {f"packaged:{name}": _BUILT / f"inter-{name}-wght-normal.woff2" for name in ("latin", "latin-ext")}


class Refused(ValueError):
    """The document wanted to read something else; nothing is fetched."""


class Packaged(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Refuses every address but those of our fonts: images and style sheets from anywhere, files included."""

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        if url not in FONTS:
            raise Refused(url)
        return URLFetcherResponse(url, body=FONTS[url].read_bytes(), headers={"Content-Type": "font/woff2"})


def render(template: str, style: str, context: Mapping[str, Any]) -> bytes:
    """Return the PDF of a template with its style sheet, both of our own templates folder."""
    fetcher, fonts = Packaged(), FontConfiguration()
    sheet = CSS(string=render_to_string(style), url_fetcher=fetcher, font_config=fonts)
    html = HTML(string=render_to_string(template, dict(context)), url_fetcher=fetcher, base_url=None)
    return bytes(html.write_pdf(stylesheets=[sheet], font_config=fonts))
