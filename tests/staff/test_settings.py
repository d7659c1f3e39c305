from portal.models import AuditEvent
from portal.tenancy import tenant_transaction
from staff import settings
from staff.models import StaffSettings
from tests.conftest import NOW


def test_of_tenant_answers_the_defaults_and_writes_nothing(acme):
    found = settings.of_tenant()

    assert (found.mails_on_assignment, found.edits_forwarding, found.sees_own_calls) == (True, False, False)
    assert not StaffSettings.objects.exists()


def test_change_notes_what_differs(acme):
    assert settings.change({"mails_on_assignment": True, "edits_forwarding": True}, by=acme.alice, at=NOW)

    assert settings.of_tenant().edits_forwarding
    event = AuditEvent.objects.get(verb="staff.settings_changed")
    assert (event.before, event.after) == ({"edits_forwarding": False}, {"edits_forwarding": True})
    assert not settings.change({"edits_forwarding": True}, by=acme.alice, at=NOW)
    with tenant_transaction(acme.globex.pk):
        assert not settings.of_tenant().edits_forwarding
