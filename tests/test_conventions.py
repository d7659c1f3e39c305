"""Does the line know its room? The rules of the house that a program can check."""

import ast
import re

import pytest

from tests import source

FUNCTION, FILE, TEMPLATE, VIEW = 50, 400, 150, 15
ADAPTERS = ("portal/servers.py", "portal/cluster.py", "portal/database_roles.py", "portal/child.py")
# Modules of `numbers` and `billing` that speak to the clock or open transactions because they run jobs or commands.
RUNNERS = {
    "fax/sending.py": "the worker's loop: a transaction per step, and none while a document is read or a fax is sent",
    "fax/receiving.py": "the request is that of the Internet Printing Protocol",
    "numbers/jobs.py": "starts the job, whose record has a beginning and an end",
    "numbers/call_jobs.py": "runs the jobs around calls, a transaction per batch",
    "numbers/outgoing.py": "as the outbox: what a service is asked for lies between transactions",
    "numbers/postal.py": "an adapter; the request is that of its own connection",
    "numbers/letter_jobs.py": "makes batches of letters, a transaction per step, as long as there are some",
    "numbers/bulk.py": "the worker's sweep reads the clock anew for each chunk, which is a transaction of its own",
}
# Where the raw state is filtered on besides lifecycle: rule C3 makes it a trap for readers.
RAW_STATE = {
    "fax/models/job.py": "a fax's own states: defines visible() and its kin",
    "numbers/models/address.py": "an address's own states: defines verified(at) and its kin",
    "numbers/models/letter.py": "a letter's own states: defines queued() and its kin",
    "numbers/models/order.py": "defines waiting(); an order's state follows from no date",
    "numbers/models/number.py": "defines active(at) and its kin",
    "numbers/models/port_out.py": "a port-out's own states: defines ahead() and due(at)",
    "numbers/models/porting.py": "a port order's own states: defines open(), due(at) and interrupted(at)",
    "numbers/outgoing.py": "a letter's state at a postal service follows from no date",
    "numbers/effects.py": "writes the state when a deactivation takes effect",
    "numbers/overview.py": "counts numbers that are porting in, which depends on no date",
    "numbers/bulk_preview.py": "counts by state and price in one statement, the overdue as inactive",
}


def room(name):
    """Return which room of its floor a module is."""
    parts = name.split("/")
    if parts[0] == "portal" and len(parts) == 2:
        return "tasks" if parts[1] == "tasks.py" else "ground"
    for part in parts[1:]:
        if part in ("models", "views", "forms", "admin", "tasks", "management", "demo", "templatetags"):
            return part
        if part.removesuffix(".py") in ("models", "views", "forms", "admin", "tasks", "urls", "apps", "__init__"):
            return part.removesuffix(".py")
    return "subject"


def in_room(files, *rooms):
    return {name: text for name, text in files.items() if room(name) in rooms}


def says(files, pattern, what=""):
    return [
        f"{name}:{line}: {what or found[0]}"
        for name, text in files.items()
        for line, code in enumerate(_code(text).splitlines(), 1)
        if (found := re.search(pattern, code))
    ]


def _code(text):
    """Return a module's text without docstrings and comments, line for line."""
    lines = text.splitlines()
    for node in ast.walk(source.tree(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in lines)


def models(files):
    """Fields, constraints, queryset verbs, query-free predicates: no request, mail, trace, ordering."""
    inside = in_room(files, "models")
    found = says(inside, r"\brequest\b(?!_id)|\boutbox\.|\bsend_mail\b|\baudit\.|^\s+ordering\s*=")
    for name, text in inside.items():
        for node in ast.walk(source.tree(text)):
            if isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "property" for d in node.decorator_list):
                asked = re.search(r"\.(objects|filter|get|all|count|exists|aggregate)\b", ast.unparse(node))
                if asked:
                    found.append(f"{name}:{node.lineno}: a query inside the property {node.name}")
    return found


def subjects(files):
    """States, rules, effects; no request, no answer, no transaction of its own, no clock but the caller's."""
    inside = {n: t for n, t in in_room(files, "subject").items() if n not in RUNNERS}
    return says(
        inside,
        r"\brequest\b|\bHttpResponse\b|django\.contrib\.messages|\batomic\b|\.delay\b|timezone\.now\(|datetime\.now\("
        r"|date\.today\(",
    )


def views(files):
    """Look-up, form, one operation, answer; nothing is written here, nothing mailed, and no view is long."""
    inside = in_room(files, "views")
    found = says(
        inside,
        r"\.save\(|\.create\(|\.bulk_create\(|\.delete\(|\.update\((?!\{)|\batomic\b|\bTemplateResponse\b|\boutbox\b"
        r"|\bsend_mail\b|\baudit\.",
    )
    for name, text in inside.items():
        for node in source.tree(text).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                lines = _length(node)
                if lines > VIEW and node.args.args and node.args.args[0].arg == "request":
                    found.append(f"{name}:{node.lineno}: {node.name} has {lines} lines")
    return found


def _length(node):
    """Return the lines of a function's body, its docstring not counted."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return node.end_lineno - body[0].lineno + 1 if body else 0


def forms(files):
    """Parse, clean, say it in the user's words; write nothing."""
    return says(in_room(files, "forms"), r"\.save\(|\.create\(|\.delete\(|\.update\(|\batomic\b|\baudit\.|\boutbox\.")


def tasks(files):
    """Ids in, one operation: no business `if`, tolerant tail, keyword-only."""
    found = []
    for name, text in in_room(files, "tasks").items():
        for node in ast.walk(source.tree(text)):
            if isinstance(node, ast.FunctionDef) and "shared_task" in ast.unparse(node.decorator_list or [ast.Pass()]):
                if node.args.args:
                    found.append(f"{name}:{node.lineno}: {node.name} takes positional arguments")
                if node.args.kwarg is None:
                    found.append(f"{name}:{node.lineno}: {node.name} has no tolerant tail")
                if any(isinstance(inner, ast.If) for inner in ast.walk(node)):
                    found.append(f"{name}:{node.lineno}: {node.name} decides something")
    return found


def queues(files):
    """The database is the queue: no argument-laden call, no time of arrival."""
    return says(files, r"\.delay\(|\.apply_async\(|\beta=|\bcountdown=|delay_on_commit")


def raw_state(files):
    """What is active follows from a date (rule C3): only the lifecycle looks at the column."""
    allowed = (*RAW_STATE, "numbers/lifecycle.py", "numbers/swap.py")
    looking = {n: t for n, t in files.items() if n.startswith(("numbers/", "fax/", "billing/")) and n not in allowed}
    found = []
    for name, text in looking.items():
        for call, node in source.calls(text):
            if call in ("filter", "exclude", "get", "Q", "get_object_or_404", "When"):
                words = {keyword.arg or "" for keyword in node.keywords}
                found += [f"{name}:{node.lineno}: {w}" for w in words if re.search(r"(^|__)state(__in)?$", w)]
    return found


def lengths(files):
    found = [f"{name}: {text.count(chr(10))} lines" for name, text in files.items() if text.count("\n") > FILE]
    for name, text in files.items():
        for node in ast.walk(source.tree(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > FUNCTION:
                found.append(f"{name}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines")
    return found


def words(files):
    """No utils, helpers, common, services, manager, data, info, process, handle as names of modules, classes, verbs."""
    empty = re.compile(r"^_?(utils?|helpers?|common|services?|managers?|data|info|process|handle)$", re.IGNORECASE)
    theirs = {"handle": "/management/commands/"}  # Django's own word for a command
    found = []
    for name, text in files.items():
        module = name.split("/")[-1].removesuffix(".py")
        if empty.match(module):
            found.append(f"{name}: an empty word")
        for node in ast.walk(source.tree(text)):
            named = getattr(node, "name", "") if isinstance(node, ast.FunctionDef | ast.ClassDef) else ""
            if empty.match(named) and theirs.get(named, "\0") not in name and named not in ("_handle",):
                found.append(f"{name}:{node.lineno}: {named}")
    return found


def documented(files):
    """Every public operation and model says what it does."""
    found = []
    for name, text in in_room(files, "subject", "models", "ground").items():
        for node in source.tree(text).body:
            if isinstance(node, ast.FunctionDef):
                silent = _length(node) > 1
            else:
                silent = isinstance(node, ast.ClassDef) and "Model" in str([ast.unparse(base) for base in node.bases])
            if silent and not node.name.startswith("_") and not ast.get_docstring(node):
                found.append(f"{name}:{node.lineno}: {node.name} has no docstring")
    return found


def operations(files):
    """Who acts and when is said by keyword: `by` and `at` stand behind the star."""
    found = []
    for name, text in in_room(files, "subject").items():
        for node in source.tree(text).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                loose = {argument.arg for argument in node.args.args} & {"by", "at"}
                if loose and "by" in loose:
                    found.append(f"{name}:{node.lineno}: {node.name} takes {', '.join(sorted(loose))} by position")
    return found


def reasons(files):
    """A silenced rule says why."""
    found = []
    for name, text in files.items():
        for line, code in enumerate(text.splitlines(), 1):
            silenced = re.search(r"#\s*(noqa|type:\s*ignore)(.*)$", code)
            if silenced and not re.search(r"(--|#)\s*\S+\s+\S+", silenced[2]) and "/migrations/" not in name:
                found.append(f"{name}:{line}: {silenced[0]}")
    return found


PYTHON = (
    models,
    subjects,
    views,
    forms,
    tasks,
    queues,
    raw_state,
    lengths,
    words,
    documented,
    operations,
    reasons,
)


@pytest.mark.parametrize("check", PYTHON, ids=lambda check: check.__name__)
def test_every_line_knows_its_room(check):
    assert check(source.modules()) == []


def test_scripts_are_as_short_as_the_rest():
    assert lengths(source.modules("scripts")) == []


def test_what_is_listed_exists():
    assert {*RUNNERS, *RAW_STATE, *ADAPTERS} <= set(source.modules())


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (models, "numbers/models/x.py", "class X:\n    class Meta:\n        ordering = ['pk']"),
        (
            models,
            "numbers/models/x.py",
            "class X:\n    @property\n    def many(self):\n        return self.items.count()",
        ),
        (models, "billing/models.py", "def f(row):\n    audit.record('x', [])"),
        (subjects, "numbers/x.py", "def f(request): ..."),
        (subjects, "numbers/x.py", "with transaction.atomic(): ..."),
        (subjects, "billing/x.py", "now = timezone.now()"),
        (views, "numbers/views/x.py", "row.save()"),
        (views, "portal/views/x.py", "Number.objects.create(label='')"),
        (views, "numbers/views/x.py", "def f(request):\n" + "    x = 1\n" * 16),
        (forms, "numbers/forms/x.py", "row.save()"),
        (tasks, "numbers/tasks.py", "@shared_task\ndef f(pk, **_): ..."),
        (tasks, "numbers/tasks.py", "@shared_task\ndef f(**_):\n    if late: ..."),
        (tasks, "numbers/tasks.py", "@shared_task\ndef f(*, pk): ..."),
        (queues, "numbers/x.py", "send.delay(1)"),
        (queues, "numbers/x.py", "send.apply_async(countdown=3)"),
        (raw_state, "numbers/views/x.py", "PhoneNumber.objects.filter(state='active')"),
        (raw_state, "numbers/x.py", "Q(number__state__in=['active'])"),
        (lengths, "numbers/x.py", "x = 1\n" * 401),
        (lengths, "numbers/x.py", "def f():\n" + "    x = 1\n" * 50),
        (words, "numbers/utils.py", ""),
        (words, "numbers/x.py", "def process(): ..."),
        (documented, "numbers/x.py", "def activate(numbers):\n    x = 1\n    return x"),
        (documented, "numbers/models/x.py", "class Thing(TenantModel):\n    x = 1"),
        (operations, "numbers/x.py", "def activate(numbers, by, at): ..."),
        (reasons, "numbers/x.py", "x = 1  # noqa: S608"),
        (reasons, "numbers/x.py", "x = 1  # type: ignore[misc]"),
    ],
)
def test_a_planted_line_in_the_wrong_room_is_found(check, name, text):
    assert check({name: text})
