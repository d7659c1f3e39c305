"""Sweeping tasks about faxes: safe to lose, to repeat and to run twice at a time."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from fax import sending


@shared_task
def send_faxes(**_: Any) -> int:
    """Make pages of what was printed, send them and ask how they fare; return how many steps that took."""
    return sending.work()


@shared_task
def retire_faxes(**_: Any) -> int:
    """Erase the pages of faxes that ended some days ago; return how many."""
    return sending.retire(at=timezone.now()).done
