"""Tags of the pages' parts: `{% icon %}`, `{% control %}`, `{% guard %}`, `{% kept %}`. Built in: nobody loads them."""

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.template.base import FilterExpression, Node, Parser, Token
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import pieces

register = template.Library()

CONTROL_CLASSES = {
    "checkbox": "form-check-input",
    "checkboxselectmultiple": "form-check-input",
    "radioselect": "form-check-input",
    "select": "form-select",
    "selectmultiple": "form-select",
}


@cache
def icon_svg(name: str, extra: str = "") -> SafeString:
    """Return the reference to an icon of the sprite; made once per process, as 50 rows ask for 300 of them."""
    classes = f"icon {extra}" if extra else "icon"
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        classes,
        static("portal/icons.svg"),
        name,
    )


class IconNode(Node):
    """`{% icon name %}`; name and class may be variables."""

    child_nodelists = ()

    def __init__(self, name: FilterExpression, extra: FilterExpression | None) -> None:
        self.name = name
        self.extra = extra

    def render(self, context: Context) -> SafeString:
        return icon_svg(
            str(self.name.resolve(context)),
            str(self.extra.resolve(context)) if self.extra else "",
        )


@register.tag
def icon(parser: Parser, token: Token) -> IconNode:
    """Draw an icon: `{% icon "phone" %}` or `{% icon "phone" class="icon-sm" %}`."""
    match token.split_contents()[1:]:
        case [name]:
            return IconNode(parser.compile_filter(name), None)
        case [name, extra] if extra.startswith("class="):
            return IconNode(
                parser.compile_filter(name),
                parser.compile_filter(extra.removeprefix("class=")),
            )
    raise template.TemplateSyntaxError('say {% icon "name" %} or {% icon "name" class="icon-sm" %}')


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """Draw a form field's control with the class its kind needs; a class of the form's own is kept."""
    own = str(field.field.widget.attrs.get("class", ""))
    kind = CONTROL_CLASSES.get(field.widget_type, "form-control")
    return field.as_widget(attrs={"class": f"{kind} {own}".strip()})


@register.simple_tag(takes_context=True)
def guard(context: Context) -> SafeString:
    """Draw what protects a form that changes something: CSRF token, the tenant it was drawn for, an operation id.

    The id makes a form that is sent twice act once; the tenant refuses a form from before a switch in another tab.
    """
    shell = context.get("shell")
    tenant = shell.get("tenant_token", "") if isinstance(shell, dict) else getattr(shell, "tenant_token", "")
    return format_html(
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="_tenant" value="{}">'
        '<input type="hidden" name="operation_id" value="{}">',
        context.get("csrf_token", ""),
        tenant,
        uuid4(),
    )


@register.filter
def compact(html: SafeString) -> SafeString:
    """Return markup without the white space that only its templates need; for no text that needs it."""
    return pieces.compact(html)


@register.simple_tag
def kept(template_name: str) -> SafeString:
    """Draw a part that needs no context; made once per process and language."""
    return _kept(template_name)


@pieces.kept
def _kept(template_name: str) -> SafeString:
    return pieces.drawn(template_name)


@register.filter
def elided(page: Page[Any]) -> Iterator[int | str]:
    """Return the page numbers to offer, with an ellipsis for those left out."""
    return page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
