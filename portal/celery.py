"""Celery: tasks carry no data and no dates. They sweep the database; a lost or doubled wake-up changes nothing."""

import os

import django
from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_init, worker_ready
from django.conf import settings

from portal import logs, servers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


SWEEP_SECONDS = float(os.environ.get("PORTAL_SWEEP_SECONDS", "30"))  # how long a lost wake-up may delay a mail
JOB_SECONDS = float(os.environ.get("PORTAL_JOB_SECONDS", "300"))

app = Celery("portal")
app.conf.update(
    broker_url=servers.broker_url(settings.REDIS_URL),
    task_ignore_result=True,
    result_backend=None,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_time_limit=300,
    task_publish_retry=False,
    task_serializer="json",
    accept_content=["json"],
    timezone="Europe/Berlin",
    enable_utc=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": 900,
        "socket_connect_timeout": 0.2,
        "socket_timeout": 0.2 if settings.PROCESS in ("web", "operator") else 30,
        "socket_keepalive": True,
        "max_retries": 0 if settings.PROCESS in ("web", "operator") else None,
    },
    beat_schedule={
        "send-messages": {
            "task": "portal.tasks.send_messages",
            "schedule": SWEEP_SECONDS,
            "options": {"expires": SWEEP_SECONDS},
        },
        "clean-up": {"task": "portal.tasks.clean_up", "schedule": 6 * 3600.0},
        "apply-deactivations": {
            "task": "numbers.tasks.apply_deactivations",
            "schedule": JOB_SECONDS,
            "options": {"expires": JOB_SECONDS},
        },
        "hand-letters-over": {
            "task": "numbers.tasks.hand_letters_over",
            "schedule": JOB_SECONDS,
            "options": {"expires": JOB_SECONDS},
        },
        "watch-pool": {
            "task": "numbers.tasks.watch_pool",
            "schedule": JOB_SECONDS,
            "options": {"expires": JOB_SECONDS},
        },
        "apply-handovers": {
            "task": "numbers.tasks.apply_handovers",
            "schedule": JOB_SECONDS,
            "options": {"expires": JOB_SECONDS},
        },
        "end-forwardings": {
            "task": "numbers.tasks.end_forwardings",
            "schedule": JOB_SECONDS,
            "options": {"expires": JOB_SECONDS},
        },
        "hand-port-orders-over": {
            "task": "numbers.tasks.hand_port_orders_over",
            "schedule": JOB_SECONDS,
            "options": {"expires": JOB_SECONDS},
        },
        "apply-portings": {
            "task": "numbers.tasks.apply_portings",
            "schedule": JOB_SECONDS,
            "options": {"expires": JOB_SECONDS},
        },
        "continue-bulk-runs": {
            "task": "numbers.tasks.continue_bulk_runs",
            "schedule": SWEEP_SECONDS,
            "options": {"expires": SWEEP_SECONDS},
        },
        "take-calls-in": {
            "task": "numbers.tasks.take_calls_in",
            "schedule": SWEEP_SECONDS,
            "options": {"expires": SWEEP_SECONDS},
        },
        "make-letters": {
            "task": "numbers.tasks.make_letters",
            "schedule": SWEEP_SECONDS,
            "options": {"expires": SWEEP_SECONDS},
        },
        "send-faxes": {
            "task": "fax.tasks.send_faxes",
            "schedule": SWEEP_SECONDS,
            "options": {"expires": SWEEP_SECONDS},
        },
        "retire-faxes": {"task": "fax.tasks.retire_faxes", "schedule": crontab(hour="3", minute="40")},
        "retire-letters": {"task": "numbers.tasks.retire_letters", "schedule": crontab(hour="0", minute="10")},
        "retire-calls": {"task": "numbers.tasks.retire_calls", "schedule": crontab(hour="3", minute="20")},
    },
)
app.autodiscover_tasks(["portal", "numbers", "fax"])


@setup_logging.connect
def _logging(**_: object) -> None:
    logs.configure()


@worker_init.connect
def _insist(**_: object) -> None:
    """Stop before the first task if the worker's role could look past the walls between tenants."""
    django.setup()  # Celery does it on the same signal, perhaps after us; twice is once
    from portal import checks  # noqa: PLC0415 -- needs the loaded models

    checks.insist()


@worker_ready.connect
def _catch_up(**_: object) -> None:
    """Do at start-up what fell due while nobody worked."""
    for task in (
        "numbers.tasks.apply_deactivations",
        "numbers.tasks.apply_handovers",
        "numbers.tasks.end_forwardings",
        "numbers.tasks.apply_portings",
        "numbers.tasks.continue_bulk_runs",
        "numbers.tasks.retire_calls",
        "numbers.tasks.retire_letters",
        "fax.tasks.retire_faxes",
        "portal.tasks.send_messages",
    ):
        app.send_task(task)
