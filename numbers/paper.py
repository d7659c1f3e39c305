"""Paper from HTML by WeasyPrint, without network: nothing but the document's own style sheet and our fonts is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

_BUILT = Path(settings.BASE_DIR) / "build" / "static" / "portal" / "fonts"
# What style sheets call `packaged:…`: files of the front end's packages, built but never kept in the repository.
FONTS = {f"packaged:{name}": _BUILT / f"inter-{name}-wght-normal.woff2" for name in ("latin", "latin-ext")}


def render(template: str, style: str, context: Mapping[str, Any]) -> bytes:
    """Return the PDF of a template with its style sheet, both of our own templates folder."""
    from numbers import typesetting  # noqa: PLC0415 -- half of what every process would take to start

    return typesetting.pdf(render_to_string(template, dict(context)), render_to_string(style), FONTS)
