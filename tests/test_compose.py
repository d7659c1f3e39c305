"""docker-compose.yml: valid by its schema, and each service's command is one that our environment has."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from portal.serve import ROLE_OF

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("bootstrap", "migrate", "web", "operator", "worker", "beat")
BIN = Path(sys.executable).parent


def test_file_follows_the_schema():
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_services_are_the_four_processes_and_what_they_need():
    assert set(SERVICES) == {"postgres", "redis", *OURS}


@pytest.mark.parametrize("name", OURS)
def test_command_runs_outside_a_container(name):
    command = SERVICES[name]["command"]
    words = command[-1].split() if command[0] == "sh" else command

    assert (BIN / words[0]).exists()
    if words[0] == "python":
        assert (ROOT / (words[1] if words[1] != "-m" else f"{words[2].replace('.', '/')}.py")).exists()


@pytest.mark.parametrize("name", [name for name in OURS if name != "bootstrap"])
def test_process_has_its_name_and_its_own_role(name):
    environment = SERVICES[name]["environment"]

    assert environment["PORTAL_PROCESS"] == name
    assert environment["DATABASE_URL"].startswith(f"postgresql://{ROLE_OF[name]}:")
    assert "POSTGRES_PASSWORD" not in str(environment)


@pytest.mark.parametrize("name", ["postgres", "redis", "web", "operator", "worker", "beat"])
def test_lasting_service_is_watched_and_restarted(name):
    assert "test" in SERVICES[name]["healthcheck"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_processes_wait_for_the_migration_and_it_for_the_bootstrap():
    for name in ("web", "operator", "worker", "beat"):
        assert {k: v["condition"] for k, v in SERVICES[name]["depends_on"].items()} == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "redis": "service_healthy",
        }
    assert SERVICES["migrate"]["depends_on"] == {"bootstrap": {"condition": "service_completed_successfully"}}
    assert SERVICES["bootstrap"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_uploads_are_in_a_volume_that_web_and_console_share():
    for name in ("web", "operator"):
        assert "data:/data" in SERVICES[name]["volumes"]
        assert SERVICES[name]["environment"]["DATA_DIR"] == "/data"


def test_only_those_who_speak_with_the_postal_service_know_its_key():
    assert [name for name in OURS if "PORTAL_POSTAL_KEY" in SERVICES[name]["environment"]] == ["operator", "worker"]


def test_databases_are_reached_from_inside_only():
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]


def test_every_variable_is_in_the_example():
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    offered = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert used == offered
