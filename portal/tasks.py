"""Sweeping tasks of the ground floor."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from portal import jobs, outbox
from portal.models import Submission
from portal.tenancy import every_tenant

KEEP_SUBMISSIONS = timedelta(days=30)
KEEP_MAIL = timedelta(days=90)  # after it was sent, as a proof of that


@shared_task
def send_messages(**_: Any) -> int:
    """Send every mail that is due, one commit each; return how many were sent."""
    sent = 0
    while message := outbox.claim(at=timezone.now()):
        sent += outbox.deliver(message, at=timezone.now())
    return sent


@shared_task
def clean_up(**_: Any) -> None:
    """Forget submissions after 30 days, sent mails after 90, old records of jobs, ended sessions, counted attempts."""
    now = timezone.now()
    with every_tenant():
        Submission.objects.filter(at__lt=now - KEEP_SUBMISSIONS).delete()
        outbox.forget(sent_before=now - KEEP_MAIL)
    jobs.forget(at=now)
    call_command("clearsessions")
    with connection.cursor() as cursor:  # Django's cache in the database only forgets when it is full
        cursor.execute("DELETE FROM portal_cache WHERE expires < %s", [now])
