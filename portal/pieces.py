"""Parts of pages that hang on nothing but what they are given: drawn once per process and language."""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

KEPT = 512  # per part: the filters of many tenants must not fill the memory


def kept[**Given](draw: Callable[Given, SafeString]) -> Callable[Given, SafeString]:
    """Keep what a function draws, by its arguments (hashable) and the present language.

    For parts without a token, a person or an instant in them: whoever gives the same gets the same.
    """

    @lru_cache(maxsize=KEPT)
    def _drawn(language: str, given: tuple[Hashable, ...], named: tuple[tuple[str, Hashable], ...]) -> SafeString:
        return draw(*given, **dict(named))  # type: ignore[arg-type]  # as they came

    @wraps(draw)
    def _ask(*given: Given.args, **named: Given.kwargs) -> SafeString:
        return _drawn(get_language() or "", given, tuple(sorted(named.items())))

    return _ask


def drawn(template_name: str, **context: Any) -> SafeString:
    """Return a template drawn with this alone, without the white space that only templates need."""
    return compact(render_to_string(template_name, context))


def compact(html: str) -> SafeString:
    """Return markup with its line breaks and indentation gone, also within tags; for no text that needs them."""
    joined = " ".join([line for line in [line.strip(" ") for line in html.split("\n")] if line])
    return mark_safe(joined.replace("> <", "><").replace(" >", ">"))  # noqa: S308 -- only white space was taken out
