"""Where a page leads back to: the page with which somebody came, as it was filtered and sorted."""

from urllib.parse import urlsplit

from django.urls import Resolver404, resolve, reverse

from portal.access import Request

PAGES = {"overview", "number", "dashboard", "upcoming", "history", "swap", "bulk_result", "block", "order"}


def back_to(request: Request) -> str:
    """Return the page of this floor that a dialog was opened from, and the overview if it does not say."""
    said = request.POST.get("back") or request.htmx.current_url or request.headers.get("Referer", "")
    try:
        parts = urlsplit(said)
        page = resolve(parts.path)
        is_page = page.app_names == ["numbers"] and page.url_name in PAGES
    except (ValueError, Resolver404):
        is_page = False
    if is_page:  # path and query alone, so it never leads to another host
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return reverse("numbers:overview")
