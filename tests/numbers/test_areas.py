import pytest

from numbers import areas, notation
from numbers.models import LocalArea

pytestmark = pytest.mark.django_db


def test_areas_come_from_the_numbering_plan():
    assert LocalArea.objects.count() > 5_000
    names = dict(LocalArea.objects.values_list("area_code", "name"))
    found = [names[code] for code in ("30", "69", "40", "221", "89")]
    assert found == ["Berlin", "Frankfurt am Main", "Hamburg", "Köln", "München"]


def test_areas_sort_as_germans_do():
    keys = dict(LocalArea.objects.filter(name__in=["München", "Ulm Donau"]).values_list("name", "sort_key"))

    assert keys["München"] == "munchen"


def test_every_film_number_lies_in_its_area():
    known = areas.codes().keys()

    for e164, code in (
        ("+493023125012", "30"),
        ("+496990009100", "69"),
        ("+494066969200", "40"),
        ("+492214710300", "221"),
        ("+498999998400", "89"),
        ("+4999912345678", "999"),
    ):
        assert notation.area_code(e164, known) == code


def test_load_is_safe_to_repeat(as_operator):
    before = LocalArea.objects.count()

    with as_operator():
        assert areas.load() == before

    assert LocalArea.objects.count() == before
