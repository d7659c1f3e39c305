"""Sweeping tasks about numbers: safe to lose, to repeat and to run twice at a time."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from numbers import bulk, call_jobs, jobs, letter_jobs, port_sending


@shared_task
def apply_deactivations(**_: Any) -> int:
    """Let every deactivation take effect whose last active day has passed; return how many did."""
    return jobs.apply_deactivations(at=timezone.now()).done


@shared_task
def apply_handovers(**_: Any) -> int:
    """Settle every dated hand-over that has begun; return how many there were."""
    return jobs.apply_handovers(at=timezone.now()).done


@shared_task
def end_forwardings(**_: Any) -> int:
    """Remove every forwarding that was set up for some days and has ended; return how many there were."""
    return jobs.end_forwardings(at=timezone.now()).done


@shared_task
def apply_portings(**_: Any) -> int:
    """Remind of, and carry out, what is due in porting; return how many things were done."""
    return jobs.apply_portings(at=timezone.now()).done


@shared_task
def hand_port_orders_over(**_: Any) -> int:
    """Hand over what waits for old providers, if an adapter is switched on; return how many messages it took."""
    return port_sending.hand_over(at=timezone.now())


@shared_task
def continue_bulk_runs(**_: Any) -> int:
    """Go on with every bulk run that is not finished; return how many numbers were handled."""
    return bulk.continue_open(at=timezone.now())


@shared_task
def take_calls_in(**_: Any) -> int:
    """Take in the calls that a switch delivered; return how many lines were handled."""
    return call_jobs.sweep_intake(at=timezone.now())


@shared_task
def retire_calls(**_: Any) -> int:
    """Delete calls beyond their retention and prove it; return how many tenants are clean."""
    return call_jobs.retire(at=timezone.now()).done


@shared_task
def watch_pool(**_: Any) -> int:
    """Warn the operator of each area whose pool crossed its threshold; return how many."""
    return jobs.watch_pool(at=timezone.now())


@shared_task
def make_letters(**_: Any) -> int:
    """Make the PDFs of every print batch that waits; return how many."""
    return letter_jobs.make_batches()


@shared_task
def retire_letters(**_: Any) -> int:
    """Write down which PINs have expired and erase PDFs that were posted; return how many."""
    return letter_jobs.retire(at=timezone.now()).done


@shared_task
def hand_letters_over(**_: Any) -> int:
    """Give PIN letters to the postal service, if one is switched on; return how many answers it gave."""
    return letter_jobs.hand_over()
