"""The operator's console: every list opens, what operations own is read-only, every change leaves its event."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client
from django.urls import clear_url_caches, reverse
from django.utils import translation

from billing.models import Price
from portal import outbox, tenancy, wake
from portal.console import WORDS, name_fields
from portal.models import AuditEvent, JobRun, Membership, OutboxMessage, Tenant, User
from portal.outbox import Mail
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LISTS = (
    "portal_tenant",
    "portal_user",
    "portal_membership",
    "portal_auditevent",
    "portal_outboxmessage",
    "portal_jobrun",
    "billing_price",
    "numbers_phonenumber",
    "numbers_localarea",
    "numbers_dispute",
    "numbers_helpline",
    "numbers_intakeline",
)
READ_ONLY = ("portal_auditevent", "portal_outboxmessage", "portal_jobrun", "numbers_phonenumber", "numbers_localarea")


# Words of the console that are the same in both languages.
ALIKE = {"Job", "Name", "Person"}


@contextmanager
def _named():
    """Let the console name the fields of the models; afterwards they are called as they are in other processes."""
    fields = [(field, field.verbose_name) for model in apps.get_models() for field in model._meta.fields]
    try:
        yield
    finally:
        for field, name in fields:
            field.verbose_name = name


@pytest.fixture
def console(settings, cast, as_operator):
    """The operator's process, as far as settings make it one, with Olga signed in."""
    with _named():
        yield from _console(settings, cast, as_operator)


def _console(settings, cast, as_operator):
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.admin"]
    settings.ROOT_URLCONF = "portal.operator_urls"
    settings.MIDDLEWARE = [
        name.replace("portal.middleware.TenantMiddleware", "portal.middleware.OperatorMiddleware")
        for name in settings.MIDDLEWARE
    ]
    settings.OPERATOR_SECOND_FACTOR = False
    clear_url_caches()
    for model in import_module("portal.admin").admin.site._registry:  # read once per process, unlike these settings
        name_fields(model)
    client = Client()
    with tenancy.tenant_transaction(cast.acme.pk):
        make.number("+493023125012", state="deactivation_scheduled", last_active_on=date(2026, 3, 31))
        outbox.later(
            [Mail("a@b.example", "de", "account/reset", {"url": "https://x/secret-link"}, cast.acme.pk)], at=NOW
        )
    with as_operator():
        JobRun.objects.create(
            job="apply_deactivations",
            as_of=NOW,
            started_at=NOW,
            finished_at=NOW + timedelta(seconds=2.5),
            planned=3,
            done=3,
        )
        JobRun.objects.create(job="apply_deactivations", as_of=NOW, started_at=NOW, error="OperationalError: gone")
        client.force_login(cast.olga)
        yield client
    clear_url_caches()


def page(client, name, *args):
    return client.get(reverse(f"admin:{name}", args=args))


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_and_is_searched(console, name):
    answer = page(console, f"{name}_changelist")

    assert answer.status_code == 200
    assert console.get(reverse(f"admin:{name}_changelist"), {"q": "x"}).status_code == 200


def test_every_column_and_field_is_named_in_german(console, cast, rf):
    """Django would show the name in the code, and gettext the English words."""
    of_console, utils = (
        import_module("portal.admin"),
        import_module("django.contrib.admin.utils"),
    )  # for this process only
    request = rf.get("/")
    request.user = cast.olga

    def shown(language):
        with translation.override(language):
            return {
                (model.__name__, name, str(utils.label_for_field(name, model, own)))
                for model, own in of_console.admin.site._registry.items()
                if isinstance(own, of_console.Console)
                for name in (*own.list_display, *utils.flatten_fieldsets(own.get_fieldsets(request)))
            }

    assert {one for one in shown("de") & shown("en") if one[2] not in ALIKE} == set()
    assert all(app in page(console, "index").content.decode() for app in ("Preise", "Rufnummern", "Übersicht"))


@pytest.mark.parametrize("state", ["active", "scheduled", "inactive", "due"])
def test_numbers_are_filtered_by_what_they_are_now(console, state):
    answer = console.get(reverse("admin:numbers_phonenumber_changelist"), {"state": state})

    assert ("+493023125012" in answer.content.decode()) == (state in ("inactive", "due"))


@pytest.mark.parametrize("name", READ_ONLY)
def test_what_operations_own_is_read_only(console, name):
    model = {**{f"portal_{m._meta.model_name}": m for m in (AuditEvent, OutboxMessage, JobRun)}}.get(name)
    row = model.objects.first() if model else None

    assert page(console, f"{name}_add").status_code == 403
    if row:
        assert page(console, f"{name}_change", row.pk).status_code == 200
        assert console.post(reverse(f"admin:{name}_change", args=[row.pk]), {}).status_code == 403
        assert console.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_a_job_run_shows_its_duration_and_its_error(console):
    text = page(console, "portal_jobrun_changelist").content.decode()

    assert "2,5 s" in text
    assert "OperationalError: gone" in text


def test_no_page_of_a_message_shows_the_links_in_it(console):
    message = OutboxMessage.objects.get()

    assert "secret-link" not in page(console, "portal_outboxmessage_change", message.pk).content.decode()


def test_send_again_gives_dead_messages_a_new_start_and_leaves_an_event(console, cast, monkeypatch):
    OutboxMessage.objects.update(state="dead", attempts=30)
    message = OutboxMessage.objects.get()

    console.post(
        reverse("admin:portal_outboxmessage_changelist"), {"action": "send_again", "_selected_action": [message.pk]}
    )

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("pending", 0)
    event = AuditEvent.objects.get(verb="message.retried")
    assert (event.actor, event.tenant_id) == (cast.olga, cast.acme.pk)


def test_run_now_asks_the_worker_and_leaves_an_event(console, cast, monkeypatch, django_capture_on_commit_callbacks):
    rung = []
    monkeypatch.setattr(wake, "_ring", rung.append)

    with django_capture_on_commit_callbacks(execute=True):
        answer = console.post(reverse("admin:numbers_run_deactivations"))

    assert answer.status_code == 302
    assert wake.finish()
    assert "numbers.tasks.apply_deactivations" in rung
    assert AuditEvent.objects.get(verb="job.asked_for").actor == cast.olga
    assert console.get(reverse("admin:numbers_run_deactivations")).status_code == 405


def test_a_tenant_is_created_and_renamed_with_events(console, cast):
    console.post(reverse("admin:portal_tenant_add"), {"name": "Neu GmbH", "slug": "neu", "customer_number": "K-77777"})
    tenant = Tenant.objects.get(slug="neu")
    console.post(reverse("admin:portal_tenant_change", args=[tenant.pk]), {"name": "Neu AG"})

    created, changed = AuditEvent.objects.filter(object_type="tenant", tenant=tenant).order_by("id")
    assert (created.verb, created.actor) == ("tenant.created", cast.olga)
    assert (changed.verb, changed.before, changed.after) == ("tenant.changed", {"name": "Neu GmbH"}, {"name": "Neu AG"})


def test_a_person_is_created_added_to_a_tenant_and_taken_out_with_events(console, cast):
    console.post(reverse("admin:portal_user_add"), {"email": "New@Acme.example", "name": "Nina Neu", "language": "de"})
    person = User.objects.get(email="new@acme.example")
    membership = {"user": person.pk, "tenant": cast.acme.pk, "role": "staff"}
    console.post(reverse("admin:portal_membership_add"), membership)
    row = Membership.objects.get(user=person)
    console.post(reverse("admin:portal_membership_change", args=[row.pk]), {"role": "billing"})
    console.post(reverse("admin:portal_membership_delete", args=[row.pk]), {"post": "yes"})

    assert not person.has_usable_password()
    assert not Membership.objects.filter(user=person).exists()
    assert list(AuditEvent.objects.filter(actor=cast.olga).order_by("id").values_list("verb", flat=True)) == [
        "person.created",
        "membership.added",
        "membership.changed",
        "membership.removed",
    ]


def test_a_price_is_added_from_tomorrow_on_and_never_changed(console, cast):
    fields = {"price_class": "standard", "monthly": "3.10", "order_fee": "4.90", "vat_rate": "19.0"}
    late = console.post(reverse("admin:billing_price_add"), fields | {"valid_from": "2026-01-01"}, follow=True)
    assert Price.objects.filter(price_class="standard").count() == 1
    assert "Ein neuer Preis gilt frühestens" in late.content.decode()

    console.post(reverse("admin:billing_price_add"), fields | {"valid_from": "2099-01-01"})

    price = Price.objects.get(valid_from=date(2099, 1, 1))
    assert price.monthly == Decimal("3.10")
    assert AuditEvent.objects.get(verb="price.set").actor == cast.olga
    assert console.post(reverse("admin:billing_price_change", args=[price.pk]), fields).status_code == 403


def test_the_demo_says_that_the_second_factor_is_off(console, settings):
    settings.DEMO = True
    assert "ohne zweiten Faktor" in page(console, "index").content.decode()
    settings.DEMO = False
    answer = page(console, "index").content.decode()
    assert "ohne zweiten Faktor" not in answer
    assert settings.OPERATOR_NAME in answer


def test_nobody_else_gets_in(console, cast):
    for person in (cast.alice, None):
        other = Client()
        if person:
            other.force_login(person)
        assert other.get(reverse("admin:index")).status_code == 302


def test_the_last_administrator_is_neither_removed_nor_demoted(console, cast):
    """Rule A6: the operator, too, makes somebody else an administrator first."""
    erika, carl = (Membership.objects.get(user=who, tenant=cast.globex) for who in (cast.erika, cast.carl))
    console.post(reverse("admin:portal_membership_delete", args=[erika.pk]), {"post": "yes"})

    answer = console.post(reverse("admin:portal_membership_delete", args=[carl.pk]), {"post": "yes"})
    console.post(reverse("admin:portal_membership_change", args=[carl.pk]), {"role": "staff"})
    ticked = {"action": "delete_selected", "_selected_action": [carl.pk], "post": "yes"}
    console.post(reverse("admin:portal_membership_changelist"), ticked)

    assert answer.status_code == 403
    assert [m.role for m in Membership.objects.filter(tenant=cast.globex)] == ["administrator"]


def test_names_of_the_console_are_gone_after_its_tests():
    """They would show up, or hide what is missing, in whatever the same process tests next."""
    fields = [field for model in apps.get_models() for field in model._meta.fields if field._verbose_name is None]

    assert [field for field in fields if field.verbose_name is WORDS.get(field.name)] == []
