"""What the proof expects, in writing: an exemption without a reason, or for something that is gone, is a finding."""

# Tables without a tenant, each with its reason. Everything else has row-level security.
EXEMPT = {
    "account_emailaddress": "sign-in: addresses of people, looked up before a tenant is known",
    "account_emailconfirmation": "sign-in: proof of an address",
    "auth_group": "Django's own, unused: roles are memberships",
    "auth_group_permissions": "Django's own, unused",
    "auth_permission": "Django's own, unused",
    "billing_price": "the operator's price list; customers read it",
    "django_admin_log": "the operator's console writes it",
    "django_content_type": "Django's own list of models",
    "django_migrations": "Django's own list of migrations",
    "django_session": "sign-in: read before a tenant is known, by a random key",
    "mfa_authenticator": "sign-in: second factors of people",
    "numbers_helpline": "the regulator's list of numbers that no list shows; customers read it",
    "numbers_intakeline": "calls that nobody knows the tenant of yet; only the operator reads them",
    "numbers_localarea": "the numbering plan; customers read it",
    "numbers_postalorder": "what the operator asked a postal service for; only the operator reads it",
    "numbers_printbatch": "letters of all tenants, printed together; only the operator reads it",
    "numbers_poolarea": "the operator's pool; customers' processes see nothing of it",
    "numbers_poolblock": "the operator's pool; customers' processes see nothing of it",
    "numbers_poolnumber": "the operator's pool; customers reach it through functions alone",
    "numbers_portprovider": "the market's providers and their codes; customers read it",
    "portal_cache": "limits of the sign-in; holds nothing of a tenant's",
    "portal_jobrun": "runs over all tenants; only the operator reads them",
    "portal_user": "people, found before a tenant is known; of one or several tenants",
    "usersessions_usersession": "sign-in: a person's own sessions",
}

OWN = "(tenant_id = app_tenant())"
OPERATOR = ("operator", "portal_ops", "ALL", "true", "true")
ORDINARY = {("own_tenant", "public", "ALL", OWN, OWN), OPERATOR}
_OPTIONAL = {
    ("own_tenant", "public", "SELECT", OWN, None),
    (
        "own_tenant_insert",
        "public",
        "INSERT",
        None,
        "CASE WHEN (tenant_id IS NULL) THEN true ELSE (tenant_id = app_tenant()) END",
    ),
    OPERATOR,
}
# (policy, role, command, USING, WITH CHECK) of the tables that differ from the ordinary two.
SPECIAL_POLICIES = {
    "portal_tenant": {
        (
            "own_tenant",
            "public",
            "SELECT",
            "((id = app_tenant_or_null()) OR (EXISTS ( SELECT 1 FROM portal_membership m"
            " WHERE ((m.tenant_id = portal_tenant.id) AND (m.user_id = app_user())))))",
            None,
        ),
        OPERATOR,
    },
    "portal_membership": {
        (
            "own_membership",
            "public",
            "SELECT",
            "((user_id = app_user()) OR (tenant_id = app_tenant_or_null()))",
            None,
        ),
        # quiet without a tenant, for the sign-in looks for a person's memberships before one is chosen
        ("own_tenant", "public", "ALL", "(tenant_id = app_tenant_or_null())", OWN),
        OPERATOR,
    },
    "portal_auditevent": _OPTIONAL,
    "portal_outboxmessage": _OPTIONAL,
}

# Models with a tenant whose manager does not filter: their queries name the tenant, which the walk with row-level
# security off proves.
WITHOUT_MANAGER = {
    "portal.Membership": "read to find out which tenant it is",
    "portal.AuditEvent": "events may have no tenant",
    "portal.OutboxMessage": "messages may have no tenant",
}

# Functions that run with their owner's rights.
_POOL = "the pool has no tenants: "
DEFINERS = {
    "create_call_month(date)": "makes an empty partition; for the operator's role alone",
    "drop_call_month(date)": "drops a partition that is due for every tenant in it; for the operator's role alone",
    "fax_credential_tenant(text)": "a printer signs in before a tenant is known, by a random user name",
    "fax_mail_tenant(text)": "a link is found before a tenant is known, by the hash of a random token",
    "invitation_tenant(text)": "an invitation is found before a tenant is known, by the hash of a random token",
    "search_numbers(text[],integer)": ("row-level security keeps ILIKE from its index; ids of app_tenant() alone"),
    "port_taken(text[],bigint)": "whether numbers can be ported in, over all tenants; says neither why not nor whose",
    "pool_basket(uuid)": _POOL + "what app_tenant() reserved under a random key",
    "pool_claim(uuid)": _POOL + "takes what app_tenant() reserved out of it, in one statement",
    "pool_given(text[])": _POOL + "notes that app_tenant() holds numbers, as the inventory says",
    "pool_keep(uuid,uuid,timestamp with time zone)": _POOL + "until when a reservation of app_tenant() lasts",
    "pool_numbers(bigint,text,integer,timestamp with time zone)": _POOL + "numbers nobody has a claim to",
    "pool_reserve(bigint,bigint[],text,integer,uuid,timestamp with time zone,timestamp with time zone)": _POOL
    + "reserves free numbers for app_tenant(), skipping what others hold locked",
    "pool_rest(text[],timestamp with time zone)": _POOL + "lets numbers rest that app_tenant() has returned",
    "pool_runs(bigint,integer,boolean,integer,timestamp with time zone)": _POOL + "runs of free numbers",
}
# Tables in partitions; `walls.partitions` proves that nobody reaches a partition past its parent.
PARTITIONED = {"numbers_callrecord": "a month of calls is dropped whole, for deleting millions of rows takes too long"}

# Indexes of tenants' tables that do not lead with the tenant; primary keys need no entry.
INDEXES = {
    "address_due": "the job's: addresses of all tenants whose PIN has expired",
    "assignment_ahead": "the job's: intervals of all tenants whose beginning is still to be settled",
    "audit_without_tenant": "the operator's list of events of no tenant",
    "bulk_run_open": "the worker's: unfinished runs of all tenants",
    "fax_credential_username": "found before a tenant is known; user names are unique in the world",
    "fax_mail_token_once": "found before a tenant is known; tokens are unique in the world",
    "fax_job_due": "the worker's: faxes of all tenants with which something is to be done",
    "fax_job_erase": "the job's: faxes of all tenants whose pages are to be erased",
    "forwarding_ends": "the job's: forwardings of all tenants that were set up for some days only",
    "letter_of_batch": "the operator's: letters of all tenants in one batch",
    "letter_queue": "the operator's: letters of all tenants that wait",
    "invitation_token_once": "found before a tenant is known; tokens are unique in the world",
    "number_due": "the job's: due numbers of all tenants",
    "number_given_once": "one tenant per number over all tenants",
    "number_search_trigram": "used by search_numbers alone",
    "outbox_due": "the worker's: messages of all tenants",
    "port_number_open_once": "one open port order per number over all tenants",
    "port_order_due": "the job's: orders of all tenants whose date has come",
    "port_order_queue": "the operator's: open orders of all tenants",
    "port_out_due": "the job's: port-outs of all tenants whose date has come",
    "portal_membership_user_id_977f1295": "memberships of the person who signs in",
    "portal_outboxmessage_key_key": "Message-IDs are unique in the world",
    "submission_age": "the clean-up's: old submissions of all tenants",
}

# What (portal_app, portal_ops) may do where it is not SELECT, INSERT, UPDATE and DELETE for both.
_READ = {"SELECT"}
_APPEND = {"SELECT", "INSERT"}
_ALL = {"SELECT", "INSERT", "UPDATE", "DELETE"}
RIGHTS = {
    "billing_price": (_READ, _ALL),
    "billing_oneoffcharge": (_APPEND, _APPEND),
    "billing_slotmove": (_APPEND, _APPEND),
    "numbers_erasuredecision": (_APPEND, _APPEND),
    "numbers_helpline": (_READ, _ALL),
    "numbers_intakeline": (set(), _ALL),
    "numbers_localarea": (_READ, _ALL),
    "numbers_postalorder": (set(), _ALL),
    "numbers_printbatch": (set(), _ALL),
    "numbers_poolarea": (set(), _ALL),
    "numbers_poolblock": (set(), _ALL),
    "numbers_poolnumber": (set(), _ALL),
    "numbers_portdocument": (_APPEND, _APPEND),
    "numbers_portevent": (_APPEND, _APPEND),
    "numbers_portprovider": (_READ, _ALL),
    "numbers_purge": (_APPEND, _APPEND),
    "portal_auditevent": (_APPEND, _APPEND),
    "portal_jobrun": (set(), _ALL),
    "portal_outboxmessage": (_APPEND, _ALL),
    "portal_tenant": (_READ, _ALL),
    "portal_user": (_ALL - {"DELETE"}, _ALL - {"DELETE"}),
}
APPEND_ONLY = {
    "billing_oneoffcharge",
    "billing_slotmove",
    "numbers_erasuredecision",
    "numbers_portdocument",
    "numbers_portevent",
    "numbers_purge",
    "portal_auditevent",
}

# Models that point at a number and are no setting of it.
UNATTACHED = {
    "fax.FaxJob": "what was printed and sent stays; what is not sent yet ends with the credentials it was printed with",
    "numbers.BulkItem": "the result of a past run stays what it was",
    "numbers.CallRecord": "traffic data is no setting and stays (rules S3, T1)",
    "numbers.Dispute": "an objection to a bill, which the number's fate does not settle",
    "numbers.PortOrder": "an order names the number that a ported one may replace; which one is settled by people",
    "numbers.PortOut": "that a number leaves is announced by another provider and ends with it alone (rule P7)",
    "numbers.Purge": "the proof that calls were deleted stays",
    "numbers.UsageTotal": "usage still to be billed stays",
}
