"""What only a look at the source can show: who may speak to PostgreSQL past the models, and who may lift wall 1."""

import ast
import re

import pytest

from tests.source import calls, modules, tree

TENANCY = "portal/tenancy.py"

# Files that write SQL of their own, each with its reason.
SQL = {
    "portal/outbox.py": "any number of messages in one statement, none read back, as the events",
    "portal/audit.py": "any number of events in one statement, none read back: they may belong to no tenant",
    TENANCY: "announces the tenant and sets the role",
    "portal/views/health.py": "asks whether the database answers",
    "portal/submissions.py": "INSERT … ON CONFLICT, which waits for a second submit; names the tenant; a click's mails",
    "portal/session_store.py": "a session by its key, which holds nothing of a tenant's",
    "portal/tasks.py": "forgets what has expired in Django's cache, which holds nothing of a tenant's",
    "portal/jobs.py": "one lock per job against two sweeps at a time",
    "staff/invitations.py": "the function that finds an invitation's tenant before one is announced",
    "fax/access.py": "the function that finds the tenant of a printer's user name before one is announced",
    "fax/links.py": "the function that finds the tenant of a link before one is announced",
    "staff/members.py": "one lock per tenant against the same address taken twice",
    "billing/slots.py": "the ends of the slots of a set in one UPDATE; names the tenant",
    "numbers/models/number.py": "the one lock every click takes; names the tenant (`tenancy.narrowed`)",
    "numbers/assignment.py": "the ends of any number of intervals in one UPDATE, by keys the ORM found",
    "numbers/handovers.py": "the same, and forwardings that go with them, by keys the ORM found",
    "numbers/holders.py": "the function that says who has numbers; names the tenant; and who has each row of a list",
    "numbers/bulk_preview.py": "the ORM's own query of what was chosen, within another of the ORM's",
    "numbers/bulk.py": "a run's items by INSERT … SELECT of the ORM's own query, outcomes by one UPDATE",
    "numbers/call_months.py": "lists partitions; asks the owner's functions, which only the operator's role may",
    "numbers/intake.py": "locks numbers FOR SHARE and notes keys of calls of all tenants, as the operator's role",
    "numbers/retention.py": "deletes calls in batches that no dispute holds, tenant by tenant, as the operator's role",
    "numbers/totals.py": "totals usage and deletes the calls in one statement; names the tenant",
    "numbers/effects.py": "effects and events of 5,000 numbers of all tenants in one statement, as the operator's role",
    "numbers/forwarding.py": "what hangs on 5,000 numbers by both its ends, joined on the tenant; one lock per tenant",
    "numbers/inventory.py": "one lock per tenant against the same list taken twice",
    "numbers/moves.py": "state and events of a set in one statement; names the tenant",
    "numbers/overview.py": "counts of all tabs and areas in one statement; names the tenant; the search function",
    "numbers/pool.py": "the functions of the pool, through which alone customers' processes reach it",
    "numbers/pool_loading.py": "a million numbers of the operator's pool in one statement",
    "numbers/port_numbers.py": "the question over all tenants whether a number can come",
    "numbers/swap_choices.py": "the search function",
}
# Who may lift wall 1: what runs in the operator's processes.
EVERYBODY = {
    TENANCY: "defines it",
    "portal/middleware.py": "the operator's console",
    "portal/jobs.py": "the sweeps of the worker, over all tenants",
    "numbers/port_sending.py": "port messages of all tenants that an adapter hands over",
    "fax/sending.py": "faxes of all tenants are sent by the worker",
    "numbers/letter_jobs.py": "letters of all tenants are printed together, in the worker",
    "numbers/jobs.py": "counts for the job's record and command",
    "numbers/call_jobs.py": "calls come in for all tenants and go at night, in the worker and in commands",
    "numbers/bulk.py": "finds unfinished runs of all tenants for the worker; each is continued in its own tenant",
}
LIFTERS = re.compile(r"(^|/)(tasks|operator\w*|admin)\.py$|/management/commands/|/demo/|^portal/operator/")


def settings_said_elsewhere(files):
    """Only tenancy says set_config, and never for a session."""
    found = []
    for name, text in files.items():
        says = re.search(r"set_config|app\.tenant_id|app\.user_id|SET\s+(LOCAL\s+|SESSION\s+)?ROLE|SET\s+app\.", text)
        if says and name not in (TENANCY, "portal/rls.py"):
            found.append(f"{name}: says {says[0]}")
        if re.search(r"set_config\([^)]*,\s*false", text, re.IGNORECASE) or re.search(r"\bSET (SESSION )?ROLE", text):
            found.append(f"{name}: sets something for the whole session")
    return found


def own_sql(files):
    found = []
    for name, text in files.items():
        used = {call for call, _ in calls(text)} & {"raw", "cursor", "extra", "RawSQL", "executemany", "at_last"}
        if "portal/cluster.py" in name or "psycopg.connect" in text:
            continue  # an administrator's tool with a login of its own
        if used and name not in SQL:
            found.append(f"{name}: {', '.join(sorted(used))}")
        if not used and name in SQL:
            found.append(f"{name}: listed, but writes no SQL")
    return found + [f"{name}: listed, but does not exist" for name in SQL if name not in files]


def lifting_wall_1(files):
    return [
        f"{name}: every_tenant"
        for name, text in files.items()
        if "every_tenant" in {call for call, _ in calls(text)} and name not in EVERYBODY and not LIFTERS.search(name)
    ]


def past_the_manager(files):
    """`QuerySet(Model)` and managers of one's own would go round wall 1."""
    found = []
    for name, text in files.items():
        for node in ast.walk(tree(text)):
            if isinstance(node, ast.Attribute) and node.attr in ("_base_manager", "_default_manager"):
                found.append(f"{name}:{node.lineno}: {node.attr}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("QuerySet", "models.QuerySet", "Manager"):
                found.append(f"{name}:{node.lineno}: {ast.unparse(node.func)}()")
    return found


def tenants_chosen_by_a_request(files):
    """The tenant comes from the membership; nothing of a request but the session's choice is ever announced."""
    found = []
    for name, text in files.items():
        for call, node in calls(text):
            if call not in ("announce", "serving", "tenant_transaction"):
                continue
            if re.search(r"\b(GET|POST|headers|COOKIES|META|kwargs)\b", ast.unparse(node)):
                found.append(f"{name}:{node.lineno}: {ast.unparse(node)}")
    return found


CHECKS = (settings_said_elsewhere, own_sql, lifting_wall_1, past_the_manager, tenants_chosen_by_a_request)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_source_has_no_way_round_the_walls(check):
    assert check(modules()) == []


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (settings_said_elsewhere, "numbers/x.py", 'cursor.execute("SELECT set_config(%s, %s, true)")'),
        (settings_said_elsewhere, TENANCY, "\"set_config('app.tenant_id', %s, false)\""),
        (settings_said_elsewhere, "billing/x.py", 'cursor.execute("SET LOCAL ROLE portal_ops")'),
        (own_sql, "numbers/views/x.py", "connection.cursor()"),
        (own_sql, "numbers/views/x.py", "PhoneNumber.objects.raw('SELECT 1')"),
        (lifting_wall_1, "numbers/views/x.py", "with tenancy.every_tenant(): pass"),
        (lifting_wall_1, "numbers/lifecycle.py", "with every_tenant(): pass"),
        (past_the_manager, "numbers/x.py", "PhoneNumber._base_manager.all()"),
        (past_the_manager, "numbers/x.py", "models.QuerySet(PhoneNumber)"),
        (tenants_chosen_by_a_request, "numbers/x.py", "tenancy.tenant_transaction(int(request.GET['tenant']))"),
        (tenants_chosen_by_a_request, "numbers/x.py", "announce(user_id=1, tenant_id=request.headers['X-Tenant'])"),
    ],
)
def test_a_planted_way_round_is_found(check, name, text):
    assert [found for found in check(modules() | {name: text}) if found.startswith(name)]
