"""docker-compose.yml: what its schema cannot say, because it spans several files."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.compose.process import PROCESSES
from deploy.local.processes import PROCESSES as LOCAL_PROCESSES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OBSERVERS = {"prometheus", "grafana"}
SERVERS = {"postgres", "redis", "rabbitmq", "mailbox"} | OBSERVERS
OURS = {name: service for name, service in SERVICES.items() if name not in SERVERS}
# Names that the images of others define.
FOREIGN = re.compile(r"(POSTGRES|RABBITMQ_DEFAULT)_(USER|PASSWORD|PASS)")


def process_of(name: str) -> str:
    """The process that a service of ours runs."""
    environment = SERVICES[name].get("environment", {})
    return str(environment.get("PROCESS") or name.replace("-", "_"))


def is_one_shot(service: dict[str, Any]) -> bool:
    """True for what runs to its end before others start."""
    return service.get("restart") == "no"


def settings_explained() -> set[str]:
    """Every name in .env.example, set or commented out."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def test_every_process_runs_and_none_is_unknown() -> None:
    running = {process_of(name) for name, service in OURS.items() if not is_one_shot(service)}
    assert running == set(PROCESSES)


@pytest.mark.parametrize("name", LOCAL_PROCESSES)
def test_a_container_and_the_local_stack_start_a_process_alike(name: str) -> None:
    ours, local = PROCESSES[name], LOCAL_PROCESSES[name]
    assert (ours.arguments, ours.default_port) == (local.arguments, local.port)


@pytest.mark.parametrize("name", [name for name in OURS if not is_one_shot(SERVICES[name])])
def test_a_process_is_published_where_it_listens(name: str) -> None:
    process = PROCESSES[process_of(name)]
    port = f"${{{process.setting}:-{process.default_port}}}"
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert SERVICES[name]["environment"][process.setting] == port


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_exists_and_can_come_true(name: str) -> None:
    for target, wait in SERVICES[name].get("depends_on", {}).items():
        condition = wait["condition"]
        ends = is_one_shot(SERVICES[target])
        assert condition == ("service_completed_successfully" if ends else "service_healthy")


def test_nothing_waits_for_itself_in_a_circle() -> None:
    waits = {name: set(service.get("depends_on", {})) for name, service in SERVICES.items()}
    started: set[str] = set()
    while ready := {name for name in waits.keys() - started if waits[name] <= started}:
        started |= ready
    assert started == set(SERVICES)


def test_observers_run_on_request_alone_and_nothing_waits_for_them() -> None:
    for name, service in SERVICES.items():
        assert service.get("profiles", []) == (["observability"] if name in OBSERVERS else [])
        if name not in OBSERVERS:
            assert not OBSERVERS & set(service.get("depends_on", {}))


def test_intake_does_not_wait_for_the_broker() -> None:
    assert "rabbitmq" not in SERVICES["gateway"]["depends_on"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_health_check_unless_it_ends(name: str) -> None:
    service = SERVICES[name]
    disabled = service.get("healthcheck", {}).get("disable", False)
    if is_one_shot(service):
        assert disabled, "its image's check would call it unhealthy"
    elif name in SERVERS:
        assert service["healthcheck"]["test"]
    else:
        assert not disabled, "its image's check would not run"


@pytest.mark.parametrize("name", SERVERS)
def test_images_of_others_are_pinned(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert re.match(r"v?\d", tag), "a tag that begins with a version"


def test_each_image_of_ours_is_built_once() -> None:
    built = [service["image"] for service in OURS.values() if "build" in service]
    assert sorted(built) == sorted({service["image"] for service in OURS.values()})


@pytest.mark.parametrize("name", OURS)
def test_an_image_is_built_for_the_process_that_it_runs(name: str) -> None:
    service = OURS[name]
    image = service["image"]
    (builder,) = (s for s in OURS.values() if s["image"] == image and "build" in s)
    built_for = builder["build"]["args"]["SERVICE"]
    assert image == f"carillon-{built_for.replace('_', '-')}"
    assert (ROOT / built_for).is_dir()
    assert service["pull_policy"] == ("build" if "build" in service else "never")
    if not is_one_shot(service):
        home = "gateway" if process_of(name) in {"relay", "events"} else process_of(name)
        assert built_for == home


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_privileges_and_nothing_to_write_but_tmp(name: str) -> None:
    service = OURS[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    for volume in service.get("volumes", []):
        options = volume.split(":")[2:]
        assert options == ["ro,z"] or not volume.startswith("."), "the checkout is not theirs"


def test_a_worker_may_finish_what_it_began() -> None:
    for name in ("email-worker", "sms-worker", "push-worker", "relay", "events"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= 40


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_explained_in_the_example(name: str) -> None:
    used = set(OURS[name].get("environment", {})) - {"PROCESS"}
    assert used <= settings_explained()


def test_every_interpolated_name_is_explained_and_has_a_default() -> None:
    names = dict(re.findall(r"\$\{([A-Z0-9_]+)(:-[^}]+)?\}", TEXT))
    assert names
    assert {name for name, default in names.items() if not default} == set()
    assert set(names) <= settings_explained()


def test_a_name_has_the_same_default_wherever_it_is_used() -> None:
    pairs = set(re.findall(r"\$\{([A-Z0-9_]+):-([^}]+)\}", TEXT))
    assert len(pairs) == len({name for name, _ in pairs})


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "INTERNAL_API_SECRET",
        "LINK_SECRETS",
        "CREDENTIALS_KEYS",
        "POSTGRES_PASSWORD",
        "RABBITMQ_PASSWORD",
    ],
)
def test_default_secrets_are_long_enough_and_say_that_they_are_local(name: str) -> None:
    (default,) = set(re.findall(rf"\${{{name}:-([^}}]+)}}", TEXT))
    assert len(default) >= 16
    assert default.startswith("local-only-")
    assert re.fullmatch(r"[a-z-]+", default), "it goes into URLs unquoted"


def test_internal_hosts_are_allowed_by_the_services_and_valid_as_host_names() -> None:
    environment = SERVICES["gateway"]["environment"]
    allowed = environment["ALLOWED_HOSTS"].split(",")
    for setting in ("GATEWAY_URL", "USER_SERVICE_URL", "TEMPLATE_SERVICE_URL"):
        host = environment[setting].removeprefix("http://").partition(":")[0]
        assert host in SERVICES
        assert host in allowed
        # RFC 1123 has no underscore, and Django refuses a Host header with one.
        assert re.fullmatch(r"[a-z][a-z0-9-]*", host)


def test_addresses_of_servers_are_services_and_not_this_machine() -> None:
    addresses = re.findall(r"(?:[a-z]+)://(?:[^@\s/]*@)?([a-z0-9.-]+):\d+", TEXT)
    local = {"127.0.0.1"}  # a health check asks its own container
    assert set(addresses) - local <= set(SERVICES)


def test_mounted_files_and_named_volumes_exist() -> None:
    declared = yaml.safe_load(TEXT)["volumes"]
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = str(volume).partition(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in declared


def test_each_service_has_its_database() -> None:
    script = (ROOT / "deploy/compose/postgres/10-databases.sql").read_text(encoding="utf-8")
    created = set(re.findall(r"^CREATE DATABASE (\w+);$", script, re.MULTILINE))
    assert created == {"gateway", "templates", "users"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_may_take_the_whole_machine(name: str) -> None:
    assert set(SERVICES[name]["deploy"]["resources"]["limits"]) == {"cpus", "memory"}


def test_what_names_no_profile_is_the_core() -> None:
    assert {
        name for name, service in SERVICES.items() if service.get("profiles") != ["observability"]
    } == set(SERVICES) - OBSERVERS
