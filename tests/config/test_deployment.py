"""Procfile, compose file and image: the same processes, run with care."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from honcho.environ import parse_procfile

from apps.backoffice import processes
from config.env import BASE_DIR

COMPOSE: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
SERVERS = {"postgres", "redis"}
OURS = sorted(set(COMPOSE["services"]) - SERVERS)


def command(name: str) -> str:
    """What a service runs; web runs what the image says."""
    found = COMPOSE["services"][name].get("command")
    if found is None:
        (line,) = re.findall(r"^CMD \[(.*)\]$", (BASE_DIR / "Dockerfile").read_text(), re.MULTILINE)
        return line.replace('", "', " ").strip('"')
    return found if isinstance(found, str) else str(found[-1])


def test_compose_runs_the_processes_of_the_procfile() -> None:
    assert set(COMPOSE["services"]) - SERVERS == set(processes.procfile())


@pytest.mark.parametrize("name", ["worker", "fast", "money", "beat"])
def test_a_worker_is_the_same_in_both(name: str) -> None:
    assert processes.procfile()[name] == f"PROCESS_ROLE={name} exec {command(name)}"


@pytest.mark.parametrize(("name", "start"), [("web", "gunicorn config.wsgi"), ("bot", "uvicorn bots.asgi:app")])
def test_a_server_is_the_same_in_both_but_for_its_address(name: str, start: str) -> None:
    assert processes.procfile()[name].startswith(f"PROCESS_ROLE={name} exec {start} ")
    assert command(name).startswith(f"{start} ")


def test_the_release_step_is_the_same_in_both() -> None:
    assert processes.procfile()["release"] == command("release")


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_a_container_has_no_more_rights_than_it_needs(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["stop_grace_period"] == "40s"
    assert name == "release" or "test" in service["healthcheck"]


@pytest.mark.parametrize("name", OURS)
def test_a_process_stops_softly_and_knows_its_role(name: str) -> None:
    environment = COMPOSE["services"][name]["environment"]
    assert environment["REMAP_SIGTERM"] == "SIGQUIT"
    assert environment["VITRINA_ENV"] == "/dev/null"
    role = name if name in {"web", "worker", "fast", "money", "beat", "bot"} else None
    assert environment.get("PROCESS_ROLE") == role


def test_the_servers_are_not_published_and_the_rest_only_on_this_machine() -> None:
    for name, service in COMPOSE["services"].items():
        ports = service.get("ports", [])
        assert all(port.startswith("127.0.0.1:") for port in ports)
        assert not (ports and name in SERVERS)


def test_redis_keeps_every_message_and_refuses_strangers() -> None:
    configuration = COMPOSE["services"]["redis"]["command"][-1]
    for line in (
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
        "requirepass $$REDISCLI_AUTH",
    ):
        assert line in configuration


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    steps = (BASE_DIR / "Dockerfile").read_text().splitlines()
    assert "RUN pip install --no-cache-dir --require-hashes -r requirements.txt" in steps
    assert "USER vitrina" in steps[steps.index("COPY . .") :]


def test_flowers_password_is_no_argument() -> None:
    for text in (processes.procfile()["flower"], command("flower")):
        assert "--basic" not in text
        assert re.search(r'export FLOWER_BASIC_AUTH="\S+" && unset FLOWER_USER FLOWER_PASSWORD', text)


def test_every_line_of_the_procfile_is_read() -> None:
    lines = [line for line in (BASE_DIR / "Procfile").read_text().splitlines() if line.strip()]
    assert len(parse_procfile("\n".join(lines)).processes) == len(lines)


def test_no_lock_names_a_host() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (BASE_DIR / name).read_text()


def test_both_locks_agree() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+(?: ; [^\\]+)?", (BASE_DIR / name).read_text(), re.MULTILINE))

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
