"""Local areas: loaded from the numbering plan data of the phonenumbers package."""

from functools import cache

from numbers.models import LocalArea
from portal.sorting import fold

LOAD_TEST = ("999", "Lasttest")  # +4999… belongs to nobody: load tests use it (rule N3)


def load() -> int:
    """Write every area (code without 0, German name) that the numbering plan names; return how many there are."""
    from phonenumbers.geodata import GEOCODE_DATA  # noqa: PLC0415 -- 40 MB that only this command needs

    names = {code[2:]: names["de"] for code, names in GEOCODE_DATA.items() if code.startswith("49") and "de" in names}
    names |= dict([LOAD_TEST])
    LocalArea.objects.bulk_create(
        [LocalArea(area_code=code, name=name, sort_key=fold(name)) for code, name in sorted(names.items())],
        update_conflicts=True,
        unique_fields=["area_code"],
        update_fields=["name", "sort_key"],
    )
    return len(names)


@cache
def codes() -> dict[str, int]:
    """Return the ids of all areas by area code, read once per process."""
    return dict(LocalArea.objects.values_list("area_code", "pk"))
