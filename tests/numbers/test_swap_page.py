from datetime import date
from uuid import uuid4

import pytest
from django.urls import reverse

from billing.models import Slot, SlotMove
from numbers import forwarding, port_out, swap
from numbers.models import Forwarding, PhoneNumber
from portal import tenancy
from portal.access import tenant_token
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW

URL = reverse("numbers:swap")


@pytest.fixture
def pair(acme):
    """An active number with settings, and an inactive one."""
    old = make.number("+496990009012", area_code="69", state="active", label="Empfang")
    new = make.number("+496990009077", area_code="69", label="Lager")
    forwarding.set_rule(
        PhoneNumber.objects.locked([old.pk])[0],
        when="always",
        destination="+494066969010",
        after_seconds=None,
        by=acme.alice,
        at=NOW,
    )
    return old, new


def fields(cast, old, new, **changes):
    return {
        "_tenant": tenant_token(cast.acme.pk),
        "operation_id": str(uuid4()),
        "old": old.pk,
        "new": new.pk,
        "sure": swap.erased(old, at=NOW).name,
    } | changes


def test_swap_page_lists_what_is_erased(acme, pair, sign_in):
    old, _ = pair

    page = sign_in(acme.alice).get(URL, {"old": old.pk}).content.decode()

    assert "immer auf 040\u00a066969010" in page
    assert "Bezeichnung „Empfang“" in page
    assert "kostenneutral" in page
    assert "Rufnummerntausch jetzt abschließen" in page
    assert ">Abbrechen</a>" in page


def test_swap_page_says_it_in_english(acme, pair, sign_in):
    acme.alice.language = "en"
    acme.alice.save()

    page = sign_in(acme.alice).get(URL, headers={"accept-language": "en"}).content.decode()

    assert "Complete the swap now" in page


def test_swap_moves_the_slot_erases_and_leads_to_the_forwarding(acme, pair, sign_in):
    old, new = pair

    answer = sign_in(acme.alice).post(URL, fields(acme, old, new), follow=True)

    assert answer.redirect_chain == [(reverse("numbers:forwarding", args=[new.pk]), 302)]
    assert [str(m) for m in answer.context["messages"]] == [
        "069\u00a090009012 wurde durch 069\u00a090009077 ersetzt. Die neue Rufnummer ist aktiv; "
        "richten Sie jetzt ihre Weiterleitung ein."
    ]
    assert list(PhoneNumber.objects.order_by("e164").values_list("state", "label")) == [
        ("inactive", ""),
        ("active", "Lager"),
    ]
    assert not Forwarding.objects.exists()
    assert Slot.objects.get().label == new.e164
    assert set(AuditEvent.objects.filter(verb__startswith="number.swapped").values_list("verb", "actor")) == {
        ("number.swapped_out", acme.alice.pk),
        ("number.swapped_in", acme.alice.pk),
    }
    assert OutboxMessage.objects.get().template == "numbers/swapped"


def test_swap_sent_twice_swaps_once(acme, pair, sign_in):
    old, new = pair
    client, data = sign_in(acme.alice), fields(acme, old, new)

    first, second = client.post(URL, data, follow=True), client.post(URL, data, follow=True)

    assert first.redirect_chain == second.redirect_chain == [(reverse("numbers:forwarding", args=[new.pk]), 302)]
    told = [[str(message) for message in answer.context["messages"]] for answer in (first, second)]
    assert told[0] == told[1]  # the repeat hears what the first was told, not that somebody was quicker
    assert SlotMove.objects.count() == 1


def test_swap_from_a_stale_page_is_told_and_never_swaps_back(acme, pair, sign_in):
    old, new = pair
    client = sign_in(acme.alice)
    client.post(URL, fields(acme, old, new))

    again = client.post(URL, fields(acme, old, new), follow=True)

    assert [str(m) for m in again.context["messages"]][-1].startswith(
        "Diese beiden Rufnummern wurden bereits getauscht"
    )
    assert PhoneNumber.objects.active(NOW).get() == new


@pytest.mark.parametrize("sure", ["", "77"])
def test_swap_without_the_tick_for_this_number_changes_nothing(acme, pair, sign_in, sure):
    old, new = pair

    answer = sign_in(acme.alice).post(URL, fields(acme, old, new, sure=sure))

    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"sure"}
    assert PhoneNumber.objects.active(NOW).get() == old


def test_swap_from_a_page_that_lists_less_than_goes_now_asks_again(acme, pair, sign_in):
    old, new = pair
    client, stale = sign_in(acme.alice), fields(acme, old, new)
    PhoneNumber.objects.filter(pk=old.pk).update(label="Zentrale")

    answer = client.post(URL, stale)
    old.label = "Zentrale"

    assert (answer.status_code, PhoneNumber.objects.active(NOW).get()) == (422, old)
    assert "hat sich geändert, seit Sie diese Seite geöffnet haben" in answer.content.decode()
    assert f'value="{swap.erased(old, at=NOW).name}"' in answer.content.decode()
    assert client.post(URL, fields(acme, old, new)).status_code == 302


def test_swap_of_a_scheduled_number_is_refused_with_the_way_out(acme, sign_in):
    old = make.number(state="deactivation_scheduled", last_active_on=date(2099, 12, 31))
    new = make.number()

    answer = sign_in(acme.alice).post(URL, fields(acme, old, new))

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Vormerkung zurücknehmen, dann tauschen" in page
    assert reverse("numbers:withdraw", args=[old.pk]) in page
    assert not SlotMove.objects.exists()


def test_swap_refuses_another_price_class(acme, pair, sign_in):
    old, _ = pair
    premium = make.number(price_class="premium")

    answer = sign_in(acme.alice).post(URL, fields(acme, old, premium))

    assert answer.status_code == 422
    assert "verschiedene Preise" in answer.content.decode()


def test_swap_knows_no_foreign_numbers(acme, pair, sign_in):
    old, new = pair
    with tenancy.tenant_transaction(acme.globex.pk):
        foreign = make.number("+494066969010", area_code="40")
        foreign_active = make.number("+494066969011", area_code="40", state="active")
    client = sign_in(acme.alice)

    assert client.get(URL, {"old": foreign_active.pk}).status_code == 404
    assert client.post(URL, fields(acme, old, foreign)).status_code == 404
    assert client.post(URL, fields(acme, foreign_active, new)).status_code == 404
    assert PhoneNumber.objects.active(NOW).get() == old


@pytest.mark.parametrize("who", ["bob", "dora"])
def test_swap_is_for_administrators(acme, pair, sign_in, who):
    client = sign_in(getattr(acme, who))

    assert client.get(URL).status_code == 403
    assert client.post(URL, fields(acme, *pair)).status_code == 403
    assert not SlotMove.objects.exists()


@pytest.mark.parametrize(
    ("field", "term", "found"),
    [
        ("old", "069 / 90009-012", "069\u00a090009012"),
        ("old", "empf", "069\u00a090009012"),
        ("new", "lager frankfurt", "069\u00a090009077"),
    ],
)
def test_swap_choices_narrow_by_number_label_and_area(acme, pair, sign_in, field, term, found):
    make.numbers(3, state="active", label="Werkstatt")
    make.numbers(3, label="Einkauf")

    answer = sign_in(acme.alice).get(reverse("numbers:swap_choices"), {"field": field, f"{field}_q": term})

    page = answer.content.decode()
    assert page.count("<option") == page.count(found) == 1


def test_swap_choices_offer_the_price_of_the_old_number_only(acme, pair, sign_in):
    old, _new = pair
    make.number(price_class="premium", label="Gold")

    page = sign_in(acme.alice).get(reverse("numbers:swap_choices"), {"field": "rest", "old": old.pk}).content.decode()

    assert "Lager" in page
    assert "Gold" not in page


@pytest.mark.parametrize("url", [URL, f"{reverse('numbers:swap_choices')}?field=old"])
def test_swap_without_an_active_number_says_so(acme, sign_in, url):
    make.number("+496990009077", area_code="69")

    page = sign_in(acme.alice).get(url).content.decode()

    assert "Keine aktive Rufnummer passt." in page
    assert 'id="id_old"' not in page


def test_swap_choices_of_an_unknown_part_are_404(acme, sign_in):
    assert sign_in(acme.alice).get(reverse("numbers:swap_choices"), {"field": "x"}).status_code == 404


def test_swap_page_marks_numbers_that_leave_for_another_provider(acme, pair, sign_in):
    old, new = pair
    port_out.announce(PhoneNumber.objects.locked([new.pk]), date(2027, 1, 4), by=acme.olga, at=NOW)

    page = sign_in(acme.alice).get(URL, {"old": old.pk}).content.decode().replace("\u00a0", " ")

    assert "069 90009077 · Frankfurt am Main · Lager · geht am 04.01.2027 zu einem anderen Anbieter" in page
    assert page.count("zu einem anderen Anbieter") == 1


def test_swap_page_asks_as_much_of_the_database_for_any_number_of_numbers(acme, sign_in, django_assert_num_queries):
    client = sign_in(acme.alice)
    first = make.number(state="active")
    client.get(URL)

    with django_assert_num_queries(11):
        client.get(URL, {"old": first.pk})
    make.numbers(60, state="active")
    make.numbers(60)
    with django_assert_num_queries(11):
        client.get(URL, {"old": first.pk})


def test_swap_asks_who_it_is_after_five_minutes(acme, pair, sign_in):
    client = sign_in(acme.alice)
    session = client.session
    session["account_authentication_methods"][0]["at"] -= 301
    session.save()

    assert client.get(URL).url.startswith(reverse("account_reauthenticate"))
    assert client.post(URL, fields(acme, *pair)).url.startswith(reverse("account_reauthenticate"))
    assert not SlotMove.objects.exists()
