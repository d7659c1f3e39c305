from django.utils.html import format_html
from django.utils.translation import override

from portal import pieces


def test_a_kept_part_is_drawn_once_for_what_it_is_given_in_each_language():
    drawn = []

    @pieces.kept
    def part(name, *, size=1):
        drawn.append(name)
        return format_html("<b>{} {}</b>", name, size)

    with override("de"):
        assert [part("<a>"), part("b"), part("<a>"), part("b", size=2)] == [
            "<b>&lt;a&gt; 1</b>",
            "<b>b 1</b>",
            "<b>&lt;a&gt; 1</b>",
            "<b>b 2</b>",
        ]
    with override("en"):
        part("b")

    assert drawn == ["<a>", "b", "b", "b"]


def test_compact_leaves_texts_alone():
    assert pieces.compact('<p>\n    Eine\n    Zeile\n    <a\n        href="/"\n    >x</a>\n</p>\n') == (
        '<p> Eine Zeile <a href="/">x</a></p>'
    )
