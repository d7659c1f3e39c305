from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import transaction

from portal import outbox, submissions
from portal.models import OutboxMessage, Submission
from portal.tenancy import NoTenant, tenant_transaction
from tests import duel

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
KEY = uuid4()


class Work:
    def __init__(self):
        self.done = 0

    def __call__(self):
        self.done += 1
        return {"done": self.done}


def test_once_does_the_work_and_keeps_its_outcome(acme):
    work, key = Work(), uuid4()

    assert submissions.once(key, "swap", by=acme.alice, at=NOW, work=work) == ({"done": 1}, False)
    assert submissions.once(key, "swap", by=acme.alice, at=NOW, work=work) == ({"done": 1}, True)
    assert work.done == 1


def test_once_tells_people_verbs_and_keys_apart(acme):
    work, key = Work(), uuid4()

    for by, verb, of in (
        (acme.alice, "swap", key),
        (acme.erika, "swap", key),
        (acme.alice, "activate", key),
        (acme.alice, "swap", uuid4()),
    ):
        assert submissions.once(of, verb, by=by, at=NOW, work=work)[1] is False

    assert work.done == Submission.objects.count() == 4


def test_once_tells_tenants_apart(cast):
    work, key = Work(), uuid4()

    for tenant in (cast.acme, cast.globex):
        with tenant_transaction(tenant.pk, user_id=cast.erika.pk):
            assert submissions.once(key, "swap", by=cast.erika, at=NOW, work=work)[1] is False

    assert work.done == 2


def test_once_keeps_nothing_when_the_work_fails(acme):
    work, key = Work(), uuid4()

    def fail():
        work()
        raise LookupError("the price changed")

    with pytest.raises(LookupError, match="the price changed"):
        submissions.once(key, "activate", by=acme.alice, at=NOW, work=fail)

    assert not Submission.objects.exists()
    assert submissions.once(key, "activate", by=acme.alice, at=NOW, work=work) == ({"done": 2}, False)


def test_once_needs_a_tenant(cast):
    with pytest.raises(NoTenant):
        submissions.once(uuid4(), "swap", by=cast.alice, at=NOW, work=Work())


@pytest.mark.django_db(transaction=True)
def test_once_lets_the_second_wait_for_the_first(cast, scale):
    keys = [uuid4() for _ in range(scale(500))]
    work = Work()

    def click(key):
        with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
            return submissions.once(key, "swap", by=cast.alice, at=NOW, work=work)

    results = duel.fight([[lambda key=key: click(key) for _ in (0, 1)] for key in keys])

    assert work.done == len(keys)
    for pair in results:
        first, second = sorted(pair, key=lambda answer: answer[1])
        assert (first[1], second[1], first[0] == second[0]) == (False, True, True)


@pytest.mark.django_db(transaction=True)
def test_once_lets_the_second_do_it_when_the_first_fails(cast):
    key, work, failed = uuid4(), Work(), []

    def fail_first():
        if not failed:
            failed.append(True)
            raise LookupError
        return work()

    def click():
        with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
            return submissions.once(key, "swap", by=cast.alice, at=NOW, work=fail_first)

    (pair,) = duel.fight([[click, click]])

    assert sorted(map(str, pair)) == ["", "({'done': 1}, False)"]


def test_what_nobody_waits_for_is_done_with_the_click_and_not_at_all_if_it_fails(acme, as_operator):
    mail = outbox.Mail("alice@acme.example", "de", "numbers/activated", {"name": "100 %s"}, acme.acme.pk)

    def write(*, fail=False):
        outbox.later([mail], at=NOW, with_click=True)
        assert written() == before
        with suppress(LookupError), transaction.atomic():
            outbox.later([mail], at=NOW, with_click=True)
            raise LookupError  # what is rolled back inside takes its mail along
        if fail:
            raise LookupError
        return {}

    def written():
        with as_operator():
            return OutboxMessage.objects.count()

    before = written()
    with pytest.raises(LookupError):
        submissions.once(uuid4(), "swap", by=acme.alice, at=NOW, work=lambda: write(fail=True))
    assert written() == before

    submissions.once(uuid4(), "swap", by=acme.alice, at=NOW, work=write)
    assert written() == before + 1
    outbox.later([mail], at=NOW)
    assert written() == before + 2
    with as_operator():
        assert OutboxMessage.objects.latest("id").context == {"name": "100 %s"}


def along(*given, **options):
    return submissions.Along("SELECT name FROM portal_tenant WHERE id = %s", *given, **options)


def at_last(*given, **options):
    return submissions.at_last(along(*given, **options))


def test_what_is_asked_at_last_is_answered_with_the_click_and_at_once_outside_of_one(acme):
    asked = []

    def work():
        asked.append(at_last([acme.acme.pk]))
        assert asked[0].rows == []
        return {}

    submissions.once(uuid4(), "swap", by=acme.alice, at=NOW, work=work)

    assert asked[0].rows == [("Acme GmbH",)]
    assert at_last([acme.acme.pk]).rows == [("Acme GmbH",)]


def test_a_last_statement_that_meets_too_few_rows_undoes_the_click(acme):
    def work():
        acme.alice.name = "Alice Anders"
        acme.alice.save(update_fields=["name"])
        at_last([acme.acme.pk], count=1, otherwise=LookupError)
        at_last([8_888_888], count=1, otherwise=lambda found: LookupError(f"{found} found"))
        return {}

    with pytest.raises(LookupError, match="0 found"):
        submissions.once(key := uuid4(), "swap", by=acme.alice, at=NOW, work=work)

    acme.alice.refresh_from_db()
    assert acme.alice.name == "Alice Adler"
    assert not Submission.objects.filter(key=key).exists()
    with pytest.raises(LookupError):
        at_last([8_888_888], count=1, otherwise=LookupError)


def test_what_is_asked_first_is_answered_before_the_work_and_in_a_repeat(acme):
    seen = []

    def click(first):
        def work():
            seen.append(first.rows)
            return {}

        submissions.once(KEY, "swap", by=acme.alice, at=NOW, work=work, first=first)
        assert first.rows == [("Acme GmbH",)]

    for _again in range(2):
        click(along([acme.acme.pk]))

    assert seen == [[("Acme GmbH",)]]
