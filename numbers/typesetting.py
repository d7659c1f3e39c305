"""The typesetter: WeasyPrint with our fonts and nothing else. Only who draws paper imports it, for it loads slowly."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse


class Refused(ValueError):
    """The document wanted to read something else; nothing is fetched."""


class Packaged(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Refuses every address but those of our fonts: images and style sheets from anywhere, files included."""

    def __init__(self, fonts: Mapping[str, Path]) -> None:
        super().__init__()
        self.fonts = fonts

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        if url not in self.fonts:
            raise Refused(url)
        return URLFetcherResponse(url, body=self.fonts[url].read_bytes(), headers={"Content-Type": "font/woff2"})


@lru_cache(maxsize=8)  # to read a sheet and unpack its fonts takes a third of what a letter takes
def _dress(style: str, fonts: tuple[tuple[str, Path], ...]) -> tuple[CSS, FontConfiguration]:
    configuration = FontConfiguration()
    return CSS(string=style, url_fetcher=Packaged(dict(fonts)), font_config=configuration), configuration


def pdf(text: str, style: str, fonts: Mapping[str, Path]) -> bytes:
    """Return the PDF of a document with its style sheet; raise Refused if it wants anything but these fonts."""
    sheet, configuration = _dress(style, tuple(sorted(fonts.items())))
    html = HTML(string=text, url_fetcher=Packaged(fonts), base_url=None)
    return bytes(html.write_pdf(stylesheets=[sheet], font_config=configuration))
