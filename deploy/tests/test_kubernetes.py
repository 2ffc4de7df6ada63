"""deploy/kubernetes: what no schema can say, because it spans manifests and code."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from carillon.broker.topology import queue_for
from carillon.contracts.channels import channels_of
from carillon.contracts.lanes import Lane
from deploy.compose.process import PROCESSES
from deploy.local.kubernetes_check import build, check_custom, install, overlays
from deploy.local.paths import ROOT
from deploy.promql import named
from deploy.tests.observability_names import series

README = (ROOT / "deploy/kubernetes/README.md").read_text(encoding="utf-8")
IMAGES = {"relay": "gateway", "events": "gateway"}
QUEUES = {
    worker.replace("_", "-"): {
        queue_for(channel.name, lane) for channel in channels_of(worker) for lane in Lane
    }
    for worker in ("email_worker", "sms_worker", "push_worker")
}

Resource = dict[str, Any]


@pytest.fixture(scope="module", params=["evaluation", "production"])
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    """What an overlay applies."""
    return built(request.param)


@pytest.fixture(scope="module")
def production() -> list[Resource]:
    """What the whole of it applies."""
    return built("production")


def built(overlay: str) -> list[Resource]:
    """An overlay, by its name."""
    install()
    return build(next(path for path in overlays() if path.name == overlay))


def of(kind: str, resources: list[Resource]) -> dict[str, Resource]:
    """Those of a kind, by name."""
    return {each["metadata"]["name"]: each for each in resources if each["kind"] == kind}


def pods(resources: list[Resource]) -> Iterator[Resource]:
    """The pod templates of whatever has one."""
    for each in resources:
        if each["kind"] in {"Deployment", "Job", "StatefulSet"}:
            yield each["spec"]["template"]


def containers(resources: list[Resource]) -> Iterator[Resource]:
    """Every container, those that only begin included."""
    for pod in pods(resources):
        yield from pod["spec"]["containers"]
        yield from pod["spec"].get("initContainers", [])


def test_every_process_is_deployed_where_it_listens(resources: list[Resource]) -> None:
    deployments = of("Deployment", resources)
    assert set(deployments) == {name.replace("_", "-") for name in PROCESSES}
    for name, process in PROCESSES.items():
        (container,) = deployments[name.replace("_", "-")]["spec"]["template"]["spec"]["containers"]
        assert container["ports"] == [{"name": "http", "containerPort": process.default_port}]
        image = IMAGES.get(name, name).replace("_", "-")
        assert re.search(rf"(^|/)carillon-{image}(:|$)", container["image"])
        said = {
            each["name"]: each.get("value") or each["valueFrom"]["secretKeyRef"]["name"]
            for each in container.get("env", [])
        }
        if name.endswith("_worker"):
            # Of the services' secrets, the one by which the gateway knows them.
            assert said == {"INTERNAL_API_SECRET": "carillon-services"}
        else:
            assert said == ({"PROCESS": name} if name in IMAGES else {})


def test_services_are_found_where_the_settings_say(resources: list[Resource]) -> None:
    settings = next(
        each["data"]
        for name, each in of("ConfigMap", resources).items()
        if name.startswith("carillon-settings")
    )
    for name in ("gateway", "user-service", "template-service"):
        (port,) = of("Service", resources)[name]["spec"]["ports"]
        variable = f"{name.upper().replace('-', '_')}_URL"
        assert settings[variable] == f"http://{name}:{port['port']}"
    explained = set(
        re.findall(r"^#([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    assert set(settings) <= explained


def test_no_container_has_more_rights_than_it_needs(resources: list[Resource]) -> None:
    for container in containers(resources):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"requests", "limits"}
    for pod in pods(resources):
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_workers_know_no_password_of_the_database(resources: list[Resource]) -> None:
    for name, deployment in of("Deployment", resources).items():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        secrets = {
            each["secretRef"]["name"] for each in container["envFrom"] if "secretRef" in each
        }
        needed = {"carillon-servers"} | (
            {"carillon-providers"}
            if name.endswith("-worker")
            else {"carillon-services", "carillon-database"}
        )
        assert secrets == needed
        assert all(f"| `{secret}` |" in README for secret in secrets)


def test_no_secret_is_in_a_manifest(resources: list[Resource]) -> None:
    assert of("Secret", resources) == {}


def test_a_drained_node_takes_one_of_each_at_a_time(resources: list[Resource]) -> None:
    budgets = of("PodDisruptionBudget", resources)
    for name, deployment in of("Deployment", resources).items():
        assert budgets[name]["spec"]["selector"] == deployment["spec"]["selector"]
        assert budgets[name]["spec"]["maxUnavailable"] == 1


def test_a_pod_has_longer_to_stop_than_its_process_takes(resources: list[Resource]) -> None:
    for deployment in of("Deployment", resources).values():
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {
            "maxSurge": 1,
            "maxUnavailable": 0,
        }
        # WORKER_STOP_SECONDS, and gunicorn's 25 s after the wait of preStop.
        assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 8 + 28


def test_code_waits_for_its_migrations(resources: list[Resource]) -> None:
    migrated = {
        job["spec"]["template"]["spec"]["containers"][0]["command"][1]
        for job in of("Job", resources).values()
    }
    waiting = set()
    for deployment in of("Deployment", resources).values():
        for container in deployment["spec"]["template"]["spec"].get("initContainers", []):
            waiting |= set(re.findall(r"python (\S+) migrate --check", container["command"][-1]))
    assert (
        migrated
        == waiting
        == {f"{service}/manage.py" for service in ("gateway", "user_service", "template_service")}
    )


@pytest.mark.parametrize("worker", QUEUES)
def test_a_worker_is_scaled_by_all_its_queues(production: list[Resource], worker: str) -> None:
    scaled = of("ScaledObject", production)[worker]["spec"]
    assert scaled["scaleTargetRef"] == {"name": worker}
    assert scaled["minReplicaCount"] >= 2
    assert {trigger["metadata"]["queueName"] for trigger in scaled["triggers"]} == QUEUES[worker]


def test_relays_are_scaled_by_a_metric_that_exists(production: list[Resource]) -> None:
    (trigger,) = of("ScaledObject", production)["relay"]["spec"]["triggers"]
    query, known = named(trigger["metadata"]["query"]), series()
    assert query.series
    assert query.series <= set(known)
    for name, label in query.matched:
        assert label in known[name]


def test_everything_has_a_way_to_be_more_than_one(production: list[Resource]) -> None:
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]
        for kind in ("HorizontalPodAutoscaler", "ScaledObject")
        for each in of(kind, production).values()
    }
    deployments = of("Deployment", production)
    fixed = {name for name, each in deployments.items() if "replicas" in each["spec"]}
    assert scaled | fixed == set(deployments)
    # An autoscaler and a fixed number would undo each other at every roll-out.
    assert not scaled & fixed


def test_the_public_reaches_the_gateway_s_public_paths_alone(production: list[Resource]) -> None:
    (ingress,) = of("Ingress", production).values()
    (rule,) = ingress["spec"]["rules"]
    paths = {path["path"] for path in rule["http"]["paths"]}
    assert "/api" in paths
    assert paths.isdisjoint({"/", "/metrics", "/internal", "/admin"})
    assert {path["backend"]["service"]["name"] for path in rule["http"]["paths"]} == {"gateway"}


def test_a_resource_that_its_operator_would_refuse_is_found(production: list[Resource]) -> None:
    scaled = of("ScaledObject", production)["relay"]
    broken = {**scaled, "spec": {**scaled["spec"], "maxReplicaCount": "many"}}
    (problem,) = check_custom([broken])
    assert problem.startswith("ScaledObject/relay: ")
    assert "maxReplicaCount must be integer" in problem
