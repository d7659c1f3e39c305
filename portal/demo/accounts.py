"""The people of the demo. Plain constants: the supervisor prints them before any setting is read."""

from dataclasses import dataclass, field

DEMO_PASSWORD = "Rufnummern-Demo-2026"  # noqa: S105 -- the demo's, printed at every start

ACME, GLOBEX, INITECH = "acme", "globex", "initech"
TENANTS = {ACME: ("Acme GmbH", "K-10001"), GLOBEX: ("Globex AG", "K-10002"), INITECH: ("Initech KG", "K-10003")}


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in: `roles` by the tenant's slug, `says` for the list printed at the start."""

    email: str
    name: str
    says: str
    roles: dict[str, str] = field(default_factory=dict)
    is_operator: bool = False


ACCOUNTS = (
    Account("alice@acme.example", "Alice Adler", "administrator of Acme", {ACME: "administrator"}),
    Account("bob@acme.example", "Bob Brandt", "staff member of Acme", {ACME: "staff"}),
    Account("dora@acme.example", "Dora Dietrich", "billing contact of Acme", {ACME: "billing"}),
    Account("carl@globex.example", "Carl Conrad", "administrator of Globex", {GLOBEX: "administrator"}),
    Account(
        "erika@partner.example",
        "Erika Ernst",
        "administrator of Acme and Globex",
        {ACME: "administrator", GLOBEX: "administrator"},
    ),
    Account("frida@initech.example", "Frida Fuchs", "administrator of Initech (empty)", {INITECH: "administrator"}),
    Account("olga@operator.example", "Olga Otto", "operator", is_operator=True),
)
