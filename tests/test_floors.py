"""The house stands on its floors: imports point downward, no signal goes up, no two modules need one another."""

import ast
import re

import pytest

from tests import source

# Who may know whom; everybody knows themselves.
KNOWS = {
    "portal": set(),
    "staff": {"portal"},
    "billing": {"portal"},
    "numbers": {"staff", "billing", "portal"},
    "fax": {"numbers", "staff", "billing", "portal"},
}
# Signals that are listened to: who says them lives outside this house, or below.
SIGNALS = {
    "portal/celery.py": "Celery's own, as its worker starts",
    "fax/hylafax.py": "connects to a server and listens to no signal",
    "portal/apps.py": "has the door's trace connected once everything is loaded",
    "portal/signin.py": "allauth's, for the trace of the door",
}
GRAFT = "portal/__init__.py"  # lays the folder `numbers` over Python's own module of that name; no floor is climbed


def upward(files):
    """Imports that climb, wherever in the file they stand; a task or path named in a string is no import."""
    found = []
    for name, text in files.items():
        floor = name.split("/")[0]
        for line, imported, _ in source.imports(name, text):
            other = imported.split(".")[0]
            if other in KNOWS and other != floor and other not in KNOWS[floor]:
                found.append(f"{name}:{line}: {floor} must not know {imported}")
            if other in ("tests", "bench"):
                found.append(f"{name}:{line}: {imported}")
    return found


def dodging(files):
    """First-party imports within functions; they hide a circle. `AppConfig.ready` and the like are told apart."""
    found = []
    for name, text in files.items():
        for node in ast.walk(source.tree(text)):
            if not isinstance(node, ast.FunctionDef) or node.name == "ready":
                continue
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    module = inner.module or "" if isinstance(inner, ast.ImportFrom) else inner.names[0].name
                    if module.split(".")[0] in KNOWS and (name, module) not in LATE:
                        found.append(f"{name}:{inner.lineno}: imports {module} within {node.name}()")
    return found


LATE = {
    ("portal/wake.py", "portal.celery"): "Celery reads the settings, which must be complete first",
    ("numbers/paper.py", "numbers"): "the typesetter takes as long to load as all the rest",
    ("portal/celery.py", "portal"): "the checks need the models, which Celery loads later",
}


def signals(files):
    """Nothing listens to a signal but what is written down, and nobody sends one."""
    found = []
    for name, text in files.items():
        listens = re.search(r"\breceiver\(|\.connect\(|\bSignal\(|\.send_robust\(", text)
        if listens and "psycopg" not in text and name not in SIGNALS:
            found.append(f"{name}: {listens[0]}")
        if re.search(r"django\.db\.models\.signals|\bpost_save\b|\bpre_save\b|\bpost_delete\b", text):
            found.append(f"{name}: listens to rows")
    return found


def circles(files):
    """Groups of modules that need one another, over all floors; imports for types only do not count."""
    graph = {}
    names = {_module(name): name for name in files}
    for name, text in files.items():
        graph[_module(name)] = {
            target
            for _, imported, only_types in source.imports(name, text)
            if not only_types
            for target in [imported if imported in names else imported.rpartition(".")[0]]
            if target in names and target != _module(name)
        }
    return sorted(" ↔ ".join(sorted(group)) for group in _knots(graph))


def _module(name):
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _knots(graph):
    """Groups that reach one another: each node with all that it reaches and that reaches it."""
    reached = {node: _reached(graph, node) for node in graph}
    return {frozenset({n for n in reached[node] if node in reached[n]}) for node in graph if node in reached[node]}


def _reached(graph, start):
    found, todo = set(), [start]
    while todo:
        new = graph[todo.pop()] - found
        found |= new
        todo += new
    return found


def mutual(files):
    """Pairs of apps that know one another."""
    pairs = {
        (name.split("/")[0], imported.split(".")[0])
        for name, text in files.items()
        for _, imported, _ in source.imports(name, text)
    }
    return sorted(f"{a} and {b}" for a, b in pairs if a < b and a in KNOWS and b in KNOWS and (b, a) in pairs)


CHECKS = (upward, dodging, signals, circles, mutual)


def house():
    return {name: text for name, text in source.modules().items() if name != GRAFT}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_floors_hold(check):
    assert check(house()) == []


def test_the_graft_does_nothing_else():
    assert [imported for _, imported, _ in source.imports(GRAFT, source.text(GRAFT))] == ["pathlib.Path", "numbers"]


def test_every_floor_is_known():
    assert set(source.APPS) == set(KNOWS)


@pytest.mark.parametrize(
    ("check", "planted"),
    [
        (upward, {"portal/x.py": "import numbers.lifecycle"}),
        (upward, {"billing/x.py": "from numbers import lifecycle"}),
        (upward, {"billing/x.py": "from staff.models import Person"}),
        (upward, {"numbers/x.py": "def late():\n    from fax.models import Credential"}),
        (
            upward,
            {"portal/x.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from numbers import models"},
        ),
        (upward, {"numbers/x.py": "from tests import make"}),
        (dodging, {"numbers/x.py": "def late():\n    from numbers import swap"}),
        (signals, {"numbers/x.py": "post_save.connect(work)"}),
        (signals, {"numbers/x.py": "@receiver(user_logged_in)\ndef work(): ..."}),
        (circles, {"numbers/x.py": "from numbers import y", "numbers/y.py": "from numbers.x import thing"}),
        (mutual, {"portal/x.py": "import billing.slots", "billing/x.py": "from portal import audit"}),
    ],
)
def test_a_planted_crack_is_found(check, planted):
    assert check(planted)
