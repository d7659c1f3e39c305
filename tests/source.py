"""Reads our own source for the tests of its rules."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("portal", "staff", "billing", "numbers", "fax")


@cache
def tracked() -> tuple[str, ...]:
    """Return every file of the repository, new ones included and ignored ones not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return tuple(name for name in listed.stdout.decode().splitlines() if (ROOT / name).is_file())


@cache
def tree(source: str) -> ast.Module:
    """Return the syntax tree of a text, which many tests look at and none changes."""
    return ast.parse(source)


def text(name: str) -> str:
    return (ROOT / name).read_text()


def modules(*folders: str, migrations: bool = False) -> dict[str, str]:
    """Return the text of our Python files by path."""
    return {
        name: text(name)
        for name in tracked()
        if name.endswith(".py") and name.startswith(tuple(f"{f}/" for f in folders or APPS))
        if migrations or "/migrations/" not in name
    }


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield (name called, node); of `a.b.c()` the name is c."""
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def imports(name: str, source: str) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, module or module.name imported, only for types) wherever in the file it stands."""
    whole = tree(source)
    for_types = {
        inner.lineno
        for node in ast.walk(whole)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }
    package = name.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(whole):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, node.lineno in for_types
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{target}.{alias.name}", node.lineno in for_types
