import io

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as some

from fax import ipp
from fax.ipp import Attribute, Group, Operation, Tag, Unreadable
from fax.views.printer import printer
from tests.fax import printing

VALUES = {
    Tag.INTEGER: some.integers(-(2**31), 2**31 - 1),
    Tag.ENUM: some.integers(0, 2**31 - 1),
    Tag.BOOLEAN: some.booleans(),
    Tag.RANGE: some.tuples(some.integers(0, 99), some.integers(100, 999)),
    Tag.RESOLUTION: some.tuples(some.integers(1, 999), some.integers(1, 999), some.just(3)),
    Tag.KEYWORD: some.sampled_from(["none", "gzip", "iso_a4_210x297mm"]),
    Tag.TEXT: some.text("aß€ 😀", max_size=20),
}
plain = some.sampled_from(sorted(VALUES)).flatmap(
    lambda tag: some.tuples(some.just(tag), some.lists(VALUES[tag], min_size=1, max_size=3))
)


@given(some.dictionaries(some.text("abc", min_size=1, max_size=5), plain, max_size=4), some.binary(max_size=50))
def test_what_was_written_is_read_and_the_document_left(said, document):
    members = [Attribute(name, tag, values) for name, (tag, values) in said.items()]
    groups = [(Group.OPERATION, members), (Group.JOB, [Attribute("nested", Tag.COLLECTION, [members, members])])]
    stream = io.BytesIO(ipp.write((2, 0), Operation.PRINT_JOB, 9, groups) + document)

    read = ipp.read(stream)

    expected = {name: values for name, (_tag, values) in said.items()}
    assert (read.version, read.operation_id, read.request_id) == ((2, 0), Operation.PRINT_JOB, 9)
    assert (read.operation, read.first, read.job) == (expected, list(said), {"nested": [expected, expected]})
    assert stream.read() == document


@given(some.binary(max_size=300), some.integers(0, 200), some.binary(min_size=1, max_size=4))
def test_anything_else_is_unreadable_and_never_worse(noise, place, changed):
    whole = bytearray(printing.message(Operation.PRINT_JOB, "493023125020", to="+493023125021"))
    whole[place : place + len(changed)] = changed
    for content in (noise, bytes(whole), bytes(whole[:place])):
        try:
            ipp.read(io.BytesIO(content))
        except Unreadable:
            continue


@given(some.sampled_from(list(Operation)), some.integers(8, 250), some.binary(max_size=4))
def test_the_printer_answers_anything_calmly(operation, place, changed):
    nested = [Attribute("a", Tag.KEYWORD, ["b"])]
    whole = bytearray(printing.message(operation, "493023125020", requested_attributes=nested, to="+493023125021"))
    for content in (bytes(whole), bytes(whole[:place] + changed + whole[place + len(changed) :])):
        request = RequestFactory().post("/", content, content_type="application/ipp")

        assert printer(request, "493023125020").status_code in (200, 400, 401)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x02\x00\x00\x0b\x00\x00\x00\x01\x01",  # no end
        b"\x02\x00\x00\x0b\x00\x00\x00\x01\x44\x00\x01a\x00\x01b\x03",  # an attribute outside of a group
        b"\x02\x00\x00\x0b\x00\x00\x00\x01\x01"
        + b"\x44\x00\x01a\x7f\xff"
        + b"b" * 0x7FFF
        + b"\x44\x00\x00\x7f\xff" * 9,
        b"\x02\x00\x00\x0b\x00\x00\x00\x01\x01\x34\x00\x01a\x00\x00"
        + b"\x4a\x00\x00\x00\x01m\x34\x00\x00\x00\x00" * 99,
    ],
    ids=["nothing", "endless", "loose", "too long", "too deep"],
)
def test_a_message_that_is_none_is_unreadable(content):
    with pytest.raises(Unreadable):
        ipp.read(io.BytesIO(content))
