"""The Makefile on a machine that lacks something: one clear sentence says what to do, and nothing else happens."""

import shutil
import subprocess

import pytest

from tests import source

NO_PYTHON = (
    "No Python 3.12 or newer and no uv was found; install one of them "
    "(Debian 13: apt-get install python3 python3-venv)."
)
NO_NODE = "No Node 20 or newer can be run; install Node or remove .venv and try again."


@pytest.fixture
def machine(tmp_path):
    """A folder with the Makefile, and a path that leads to nothing but what every machine has."""
    for name in ("Makefile", ".python-version", "package.json", "package-lock.json", ".npmrc", "requirements/dev.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(source.ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for name in ("find", "touch", "mkdir"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    return tmp_path


def program(machine, name, script):
    path = machine / "bin" / name
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def said(machine, target):
    """Make the target; return what was said besides the names of the steps."""
    ended = subprocess.run(
        [shutil.which("make"), "-s", target],
        cwd=machine,
        env={"PATH": str(machine / "bin"), "HOME": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    return [line for line in (ended.stdout + ended.stderr).splitlines() if not line.startswith(("==>", "make: "))]


@pytest.mark.parametrize(
    ("python", "target"), [("none", "test"), ("too old", "demo"), ("a shim of nothing", "environment")]
)
def test_without_a_python_it_says_what_to_install(machine, python, target):
    if python == "too old":
        program(machine, "python3", "exit 1  # what `sys.exit(sys.version_info < (3, 12))` ends with")
    elif python == "a shim of nothing":
        program(machine, "python3.13", 'echo "pyenv: python3.13: command not found" >&2; exit 127')

    assert said(machine, target) == [NO_PYTHON]


def test_without_a_node_it_says_what_to_do(machine):
    (machine / ".venv" / "bin").mkdir(parents=True)
    (machine / ".venv" / ".complete").touch()

    assert said(machine, "node_modules/.complete") == [NO_NODE]
