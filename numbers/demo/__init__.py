"""The demo's data: 14 months of two tenants' lives, told with the real operations and a clock that moves.

History, trace, slots and job runs are therefore true, and all dates are relative to today.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.db import transaction

from billing import prices
from billing.models import PriceClass
from numbers import effects
from numbers.demo import acme, addresses, calls, globex, porting
from portal import berlin, outbox, tenants
from portal.demo import accounts
from portal.models import JobRun, OutboxMessage, Role, Tenant, User
from portal.tenancy import every_tenant, tenant_transaction

MONTHS = 14  # how long ago the story begins
FRESH = timedelta(hours=20)  # younger mails are really sent, so that the demo's mailbox is not empty


def load(*, now: datetime) -> bool:
    """Fill an empty portal with the demo's data; return False if it is there already. Needs the operator's role."""
    with transaction.atomic(), every_tenant():
        if Tenant.objects.filter(slug=accounts.ACME).exists():
            return False
        begin = berlin.begin(berlin.next_month(berlin.day(now), -MONTHS))
        people = _people(at=begin)
        olga = people["olga@operator.example"]
        _price_list(by=olga, now=now)
        addresses.fill_pool(at=begin)
        porting.load_providers(at=begin)
        runs: dict[datetime, int] = {}
        for slug, tell in ((accounts.ACME, acme.story), (accounts.GLOBEX, globex.story)):
            tenant = Tenant.objects.get(slug=slug)
            with tenant_transaction(tenant.pk):
                for at, count in tell(tenant, people, now=now, months=MONTHS).tell().items():
                    runs[at] = runs.get(at, 0) + count
        calls.tell(Tenant.objects.get(slug=accounts.ACME), now=now)
        addresses.post_letter(by=olga, at=now - timedelta(minutes=5))
        _note_runs(runs)
        _old_mail_is_sent(now=now)
    return True


def _people(*, at: datetime) -> dict[str, User]:
    found: dict[str, User] = {}
    hashed = make_password(accounts.DEMO_PASSWORD)  # once: it is slow on purpose
    for account in accounts.ACCOUNTS:
        found[account.email] = tenants.person_with(account.email, account.name, is_operator=account.is_operator)
    User.objects.update(password=hashed, joined_at=at)
    olga = found["olga@operator.example"]
    for slug, (name, customer_number) in accounts.TENANTS.items():
        tenant = tenants.create(name, slug=slug, customer_number=customer_number, by=olga, at=at)
        for account in accounts.ACCOUNTS:
            if slug in account.roles:
                role = Role(account.roles[slug])
                tenants.invite(account.email, account.name, tenant=tenant, role=role, by=olga, at=at)
    Tenant.objects.update(created_at=at)
    return found


def _price_list(*, by: User, now: datetime) -> None:
    new_year = berlin.day(now).replace(month=1, day=1)
    long_ago = new_year.replace(year=new_year.year - 4)
    for price_class, monthly, valid_from in (
        (PriceClass.STANDARD, "2.50", long_ago),
        (PriceClass.PREMIUM, "4.90", long_ago),
        (PriceClass.STANDARD, "2.90", new_year),
    ):
        prices.set_price(
            price_class,
            monthly=Decimal(monthly),
            order_fee=Decimal("4.90"),
            vat_rate=Decimal("19.0"),
            valid_from=valid_from,
            by=by,
            at=berlin.begin(valid_from - timedelta(days=42)) + timedelta(hours=10),
        )


def _note_runs(runs: dict[datetime, int]) -> None:
    JobRun.objects.bulk_create(
        JobRun(
            job=effects.JOB,
            as_of=berlin.day(at),
            started_at=at,
            finished_at=at + timedelta(seconds=1),
            planned=count,
            done=count,
        )
        for at, count in sorted(runs.items())
    )


def _old_mail_is_sent(*, now: datetime) -> None:
    for message in OutboxMessage.objects.filter(created_at__lt=now - FRESH):
        message.state, message.attempts, message.sent_at = OutboxMessage.State.SENT, 1, message.created_at
        if message.template.startswith(outbox.CONFIDENTIAL):
            message.context = {}
        message.save(update_fields=["state", "attempts", "sent_at", "context"])
