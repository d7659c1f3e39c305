"""Two at the same moment: a link shows one secret, and nothing is sent past a revocation (rules F2 and F3)."""

import re

import pytest

from fax import keys, links, mailing, revoking
from fax.links import NotValid, Shown
from fax.models import FaxCredential, FaxJob, FaxMail
from numbers.models import PhoneNumber
from portal.models import OutboxMessage
from portal.tenancy import tenant_transaction
from staff.models import StaffMember
from tests import duel, make
from tests.conftest import NOW
from tests.fax import papers
from tests.fax.printing import SECRET, printed

pytestmark = pytest.mark.django_db(transaction=True)


def send(office):
    with tenant_transaction(office.cast.acme.pk, user_id=office.cast.alice.pk):
        [number] = PhoneNumber.objects.locked([office.shared.pk])
        mailing.send(number, StaffMember.objects.locked([office.bob.pk]), by=office.cast.alice, at=NOW)


def show(office, token):
    with tenant_transaction(office.cast.acme.pk, user_id=office.cast.bob.pk):
        return links.show(keys.fingerprint(token), user=office.cast.bob, at=NOW)


def revoke(office):
    with tenant_transaction(office.cast.acme.pk, user_id=office.cast.alice.pk):
        numbers = PhoneNumber.objects.locked([office.shared.pk])
        revoking.revoke(revoking.standing(numbers), by=office.cast.alice, at=NOW)


def token_of_last(office):
    with tenant_transaction(office.cast.acme.pk):
        return re.search(r"/fax/link/([^/]+)", OutboxMessage.objects.order_by("-pk")[0].context["url"])[1]


def test_two_who_use_a_link_at_once_see_one_secret(office, scale):
    for _ in range(scale(30)):
        with tenant_transaction(office.cast.acme.pk):
            FaxMail.objects.all().delete()
        send(office)
        token = token_of_last(office)

        [pair] = duel.fight([(lambda t=token: show(office, t), lambda t=token: show(office, t))])

        assert {type(result) for result in pair} == {Shown, NotValid}


def test_what_is_printed_while_access_is_revoked_is_not_sent(office, documents_dir, scale):
    for _ in range(scale(30)):
        with tenant_transaction(office.cast.acme.pk):
            credential = make.fax_credential(office.shared, office.bob, SECRET)

        [pair] = duel.fight(
            [(lambda c=credential: printed(c, papers.pdf(), to="+496990009123"), lambda: revoke(office))]
        )

        assert (pair[0].http, pair[1]) in ((200, None), (401, None))
        with tenant_transaction(office.cast.acme.pk):
            assert FaxJob.objects.exclude(state="failed").count() == 0


def test_a_link_used_while_access_is_revoked_leaves_no_secret_that_works(office, scale):
    for _ in range(scale(30)):
        with tenant_transaction(office.cast.acme.pk):
            FaxMail.objects.all().delete()
        send(office)
        token = token_of_last(office)

        [pair] = duel.fight([(lambda t=token: show(office, t), lambda: revoke(office))])

        assert type(pair[0]) in (Shown, NotValid)
        assert pair[1] is None
        with tenant_transaction(office.cast.acme.pk):
            assert FaxCredential.objects.filter(revoked_at=None).count() == 0
            assert FaxCredential.objects.exclude(secret_hash="").count() == 0
