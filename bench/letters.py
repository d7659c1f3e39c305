"""PIN letters: how long two workers take for a thousand, and how much memory each needs."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

from django.db import transaction
from django.utils import timezone

from bench import maker, world
from bench.result import Result
from numbers import printing, window
from numbers.models import Address, LocalArea, PinLetter
from portal.models import User
from portal.tenancy import every_tenant

LETTERS, WORKERS = 1000, 2
SECONDS, MEGABYTES = 90, 200


def measure(by: User) -> list[Result]:
    """Let two workers make a thousand letters, batch by batch, as the print queue does."""
    with every_tenant(), transaction.atomic():
        _ask(by)
        batches = printing.gather(by=by, at=timezone.now())
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(maker.warm, range(WORKERS)))
        began = time.perf_counter()
        peaks = [work.result() for work in [pool.submit(maker.work) for _ in range(WORKERS)]]
        seconds = time.perf_counter() - began
    with every_tenant():
        ready = PinLetter.objects.filter(batch__in=[batch.pk for batch in batches]).exclude(pin_hash="").count()
    if ready != LETTERS:
        raise SystemExit(f"{ready} of {LETTERS} letters were made.")
    peak = max(peaks) / 1024
    return [
        Result(f"{LETTERS:,} PIN letters, {WORKERS} workers", f"{seconds:.1f} s", f"≤ {SECONDS} s", seconds <= SECONDS),
        Result("peak memory of a worker that makes letters", f"{peak:.0f} MB", f"≤ {MEGABYTES} MB", peak <= MEGABYTES),
    ]


def _ask(by: User) -> None:
    area, at = LocalArea.objects.get(area_code="30"), timezone.now()
    places = [
        Address(
            tenant_id=world.MIDDLE,
            company=f"Mandant {number} Gesellschaft für Messtechnik mbH",
            street="Beispielstraße",
            house_number=str(number),
            postcode="10115",
            town="Berlin",
            area=area,
            state="letter_requested",
            created_at=at,
        )
        for number in range(LETTERS)
    ]
    Address.objects.bulk_create(places)
    PinLetter.objects.bulk_create(
        PinLetter(tenant_id=place.tenant_id, address=place, lines=window.lines(place), requested_by=by, requested_at=at)
        for place in places
    )
