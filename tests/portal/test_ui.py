"""The parts pages are made of: icons, form parts, chart; and the house rules of templates."""

import ast
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Engine, TemplateSyntaxError
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation

from portal.ui import Point, bar_chart

ROOT = Path(__file__).resolve().parents[2]
APPS = ("portal", "staff", "billing", "numbers", "fax")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = [path for path in TEMPLATES if "mail" not in path.parts]  # mail clients know nothing but inline styles
SOURCES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))
LISTED = (ROOT / "assets" / "icons.txt").read_text().split()

FORBIDDEN = {
    "inline style": r"\sstyle\s*=",
    "inline handler": r"\son[a-z]+\s*=|hx-on[:=]",
    "inline script": r"<script(?![^>]*\bsrc=)",
    "style sheet": r"<style\b",
    "evaluated JavaScript": r"""["'](?:js|javascript):|hx-trigger="[^"]*\[""",
    "name of htmx 2": r"hx-disabled-elt|hx-ext|hx-on:|hx-vars|hx-params",
}


def render(source: str, **values: Any) -> str:
    engine = Engine(
        dirs=[str(ROOT / "templates")],
        builtins=["django.templatetags.i18n", "django.templatetags.static", "portal.templatetags.ui"],
    )
    with translation.override("en"):
        return engine.from_string(source).render(Context(values))


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- icons


def icons_of_templates() -> Iterator[str]:
    for path in TEMPLATES:
        yield from re.findall(r"""(?:\bicon |icon=)["']([a-z0-9-]+)["']""", path.read_text())


def icons_of_sources() -> Iterator[str]:
    """Names given as `icon="…"` or `{"icon": "…"}`, and every text that is the name of a listed icon."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Constant(value=str(name)) if name in LISTED:
                    yield name
                case ast.keyword(arg="icon", value=ast.Constant(value=str(name))):
                    yield name
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == "icon" and isinstance(value, ast.Constant):
                            yield str(value.value)


def test_every_icon_is_in_the_sprite_and_none_is_unused() -> None:
    used = {*icons_of_templates(), *icons_of_sources()}

    assert sorted(used) == LISTED, "assets/icons.txt names every icon in use, sorted, and no other"


def test_icon_refers_to_the_sprite() -> None:
    html = render('{% icon "phone" %}{% icon name class="icon-sm" %}', name="lock")

    sprite = static("portal/icons.svg")
    assert html == (
        f'<svg class="icon" aria-hidden="true"><use href="{sprite}#phone"/></svg>'
        f'<svg class="icon icon-sm" aria-hidden="true"><use href="{sprite}#lock"/></svg>'
    )


def test_icon_escapes_its_name() -> None:
    assert "<b>" not in render("{% icon name %}", name='"><b>')


@pytest.mark.parametrize("source", ["{% icon %}", '{% icon "a" "b" %}'])
def test_icon_says_how_it_is_written(source: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="say"):
        render(source)


# --- forms


class Sample(forms.Form):
    label = forms.CharField(label="Label", help_text="Shown in lists.", min_length=3)
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"class": "wide"}))
    usage = forms.ChoiceField(label="Usage", choices=[("voice", "Voice")], widget=forms.RadioSelect)
    sure: ClassVar = forms.BooleanField(label="I have understood")


def test_field_names_its_help_and_its_error() -> None:
    form = Sample({"label": "x"})
    form.is_valid()

    html = render('{% include "ui/field.html" %}', field=form["label"])

    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described is not None
    assert [f'id="{name}"' in html for name in described[1].split()] == [True, True]
    assert 'aria-invalid="true"' in html
    assert 'class="form-control"' in html
    assert words(html) == "Label Shown in lists. Ensure this value has at least 3 characters (it has 1)."


def test_optional_field_says_so_and_keeps_its_own_class() -> None:
    html = render('{% include "ui/field.html" %}', field=Sample()["note"])

    assert words(html) == "Note (optional)"
    assert 'class="form-control wide"' in html


def test_choices_stand_in_a_fieldset() -> None:
    html = render('{% include "ui/field.html" %}', field=Sample()["usage"])

    assert "<fieldset" in html
    assert words(html) == "Usage Voice"


def test_tick_stands_before_its_label() -> None:
    html = render('{% include "ui/field.html" %}', field=Sample()["sure"])

    assert html.index("<input") < html.index("I have understood")


def test_guard_carries_token_tenant_and_a_fresh_operation_id() -> None:
    values = {"csrf_token": "c", "shell": {"tenant_token": "t"}}

    first, second = render("{% guard %}", **values), render("{% guard %}", **values)

    assert re.findall(r'name="(\w+)"', first) == ["csrfmiddlewaretoken", "_tenant", "operation_id"]
    assert re.findall(r'value="(\w)"', first) == ["c", "t"]
    assert first != second


# --- parts


def test_badge_gives_state_and_date_in_words() -> None:
    source = '{% include "ui/state_badge.html" %}'

    assert words(render(source, state="active")) == "Active"
    assert words(render(source, state="inactive")) == "Inactive"
    assert words(render(source, state="deactivation_scheduled", on="31.12.2026")) == (
        "Deactivation scheduled for 31.12.2026"
    )


def test_progress_polls_until_done() -> None:
    source = '{% include "ui/progress.html" with id="job" url="/jobs/7/" value=1000 total=2000 title="Import" %}'

    assert 'hx-trigger="every 2s"' in render(source)
    assert 'value="1000"' in render(source)
    assert "hx-" not in render(source, done=True)


def test_toast_of_an_error_stays() -> None:
    source = '{% include "ui/toast.html" with text="…" %}'

    assert 'data-toast="stay"' in render(source, level="error")
    assert 'data-toast="auto"' in render(source)


def test_pager_leaves_out_pages_far_away() -> None:
    page = Paginator(range(1000), 25).page(20)

    assert words(render("{% for p in page|elided %}{{ p }} {% endfor %}", page=page)) == "1 … 18 19 20 21 22 … 40"


def test_chart_draws_the_highest_bar_to_the_top_and_none_below_zero() -> None:
    points = [
        Point("J", "January", Decimal(10)),
        Point("F", "February", Decimal(20), "now"),
        Point("M", "March", Decimal(-5)),
    ]

    chart = bar_chart(points, text=lambda value: f"{value} €")

    assert [bar.height for bar in chart.bars] == ["84.0", "168.0", "0.0"]
    assert [float(bar.y) + float(bar.height) for bar in chart.bars] == [chart.baseline] * 3
    assert [bar.text for bar in chart.bars] == ["10 €", "20 €", "-5 €"]


def test_chart_without_values_is_flat() -> None:
    assert [bar.height for bar in bar_chart([Point("J", "January", Decimal(0))], text=str).bars] == ["0.0"]
    assert bar_chart([], text=str).bars == []


def test_server_error_page_needs_no_request() -> None:
    with translation.override("en"):
        html = render_to_string("500.html", {"reference": "R-1"})

    assert "Something went wrong here" in html
    assert "R-1" in html


# --- house rules


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_template_keeps_the_content_security_policy(path: Path) -> None:
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)

    assert [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)] == []
    assert len(text.splitlines()) <= 150


@pytest.mark.parametrize("path", sorted((ROOT / "assets").rglob("*.js")), ids=lambda path: path.name)
def test_script_sets_no_style_and_evaluates_nothing(path: Path) -> None:
    assert re.findall(r"\.style\b|\beval\(|new Function|innerHTML", path.read_text()) == []


@pytest.mark.parametrize("path", sorted((ROOT / "assets").rglob("*.css")), ids=lambda path: path.name)
def test_style_sheet_stays_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_packages_are_pinned_without_download_addresses() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = [
        one | {"funding": None} for name, one in lock["packages"].items() if name
    ]  # whom to thank is no address

    assert all("integrity" in one for one in packages)
    assert re.findall(r"https?://[^'\"]*|resolved", str(packages)) == []


def test_no_two_style_sheets_lay_out_the_same_class():
    """A class of one page that another page's sheet lays out as well breaks both of them."""
    laid_out: dict[str, set[str]] = {}
    for path in sorted((ROOT / "assets" / "css").glob("*.css")):
        flat = re.sub(r"/\*.*?\*/|@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", path.read_text(), flags=re.DOTALL)
        for selectors, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", flat):
            if re.search(r"\b(?:display|flex-wrap|align-items|grid-template-columns)\s*:", rules):
                for selector in re.findall(r"(?:^|,)\s*(\.[\w-]+)\s*(?=,|$)", selectors):
                    laid_out.setdefault(selector, set()).add(path.name)

    assert {name: sheets for name, sheets in laid_out.items() if len(sheets) > 1} == {}


def test_an_empty_state_names_the_icon_of_its_drawing():
    shown = [
        (path, call) for path in PAGES for call in re.findall(r'include "ui/empty.html" with ([^%]*)', path.read_text())
    ]

    assert [str(path) for path, call in shown if "icon=" not in call.replace("action_icon=", "")] == []
