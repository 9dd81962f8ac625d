"""The examples for systemd, nginx, Docker and Kubernetes are what these programs take, and keep to our own rules."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from service.config import parse
from tests.deploy.nginx import write_example

DEPLOY = Path(__file__).parents[2] / "deploy"
LEAST_EXPOSED = 1.5
"""Out of 10, as `systemd-analyze security` counts; most services of a distribution have more than 9."""


def needed(name: str) -> str:
    judges = Path(sys.prefix) / "judges" / "bin"  # what `make test` installs for these tests alone
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:{judges}")
    return found or pytest.skip(f"{name} is not installed")


def judged(program: str, *arguments: object, text: str) -> tuple[int, str]:
    """Let a program judge a text, or skip the test where it is not installed; gives its exit code and what it said."""
    said = subprocess.run(
        [needed(program), *map(str, arguments)], input=text, capture_output=True, text=True, check=False
    )
    return said.returncode, said.stdout + said.stderr


def documents(path: Path) -> list[Any]:
    return list(YAML(typ="safe").load_all(path.read_text()))


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = needed("systemd-analyze")
    for name in ("replycast.service", "replycast.socket"):
        text = (DEPLOY / "systemd" / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/replycast/bin/replycast", "/bin/true"))
    said = subprocess.run(
        [program, "verify", tmp_path / "replycast.service"], capture_output=True, text=True, check=False
    )
    assert [line for line in said.stderr.splitlines() if "replycast" in line] == []


def test_the_unit_is_hardened() -> None:
    unit = DEPLOY / "systemd" / "replycast.service"
    said = subprocess.run(
        [needed("systemd-analyze"), "security", "--offline=true", unit],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    exposure = re.search(r"exposure level for replycast.service: ([0-9.]+)", said)
    assert exposure is not None
    assert float(exposure[1]) <= LEAST_EXPOSED


def test_nginx_takes_its_example(tmp_path: Path) -> None:
    program = needed("nginx")
    said = subprocess.run(
        [program, "-t", "-c", write_example(tmp_path), "-e", tmp_path / "error.log"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "[warn]" not in said.stderr


def test_caddy_takes_its_example(tmp_path: Path) -> None:
    said = subprocess.run(
        [needed("caddy"), "validate", "--adapter", "caddyfile", "--config", DEPLOY / "caddy" / "Caddyfile"],
        env={**os.environ, "HOME": str(tmp_path)},  # where it would keep certificates
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "Valid configuration" in said.stdout + said.stderr


def test_what_is_for_monitoring_is_shown_by_no_proxy_example() -> None:
    for path in (DEPLOY / "nginx" / "replycast.conf", DEPLOY / "caddy" / "Caddyfile"):
        text = path.read_text()
        assert "metrics" in text
        assert "404" in text


def test_the_image_runs_without_rights_and_holds_no_secret() -> None:
    docker = (DEPLOY / "docker" / "Dockerfile").read_text()
    users = re.findall(r"^USER (\S+)$", docker, re.MULTILINE)
    assert users == ["10001"]
    assert "--require-hashes" in docker
    ignored = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    copied = {
        name.removeprefix("./")
        for line in re.findall(r"^COPY (?!--from)(.*)$", docker, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert copied == kept
    for name in kept:
        assert (DEPLOY.parent / name).exists(), name


_LINT = ("--no-color", "--failure-threshold", "style", "-")


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    docker = (DEPLOY / "docker" / "Dockerfile").read_text()
    assert judged("hadolint", *_LINT, text=docker) == (0, "")


def test_hadolint_finds_what_is_careless_in_a_dockerfile() -> None:
    docker = (DEPLOY / "docker" / "Dockerfile").read_text()
    careless = docker.replace("WORKDIR /src\n", "RUN cd /src\n")
    assert careless != docker
    code, said = judged("hadolint", *_LINT, text=careless)
    assert code != 0
    assert "DL3003" in said


@pytest.mark.parametrize(
    ("was", "now", "complaint"),
    [
        ("", "", ""),
        ("restart: unless-stopped", "restarts: unless-stopped", "restarts"),
        ("service_healthy", "service_well", "condition"),
    ],
    ids=["as it is", "an unknown key", "an unknown condition"],
)
def test_compose_takes_its_example_and_nothing_else(
    tmp_path: Path, was: str, now: str, complaint: str
) -> None:
    text = (DEPLOY / "docker" / "compose.yaml").read_text()
    assert was in text
    (tmp_path / "compose.yaml").write_text(text.replace(was, now))
    code, said = judged("docker-compose", "--file", tmp_path / "compose.yaml", "config", text="")
    assert (code == 0) is not bool(complaint)
    assert complaint in said


def test_compose_runs_both_parts_with_no_more_than_they_need() -> None:
    [compose] = documents(DEPLOY / "docker" / "compose.yaml")
    service = compose["services"]["replycast"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "ports" not in compose["services"]["database"]
    assert set(service["secrets"]) <= set(compose["secrets"])
    named = {
        str(volume).partition(":")[0] for part in compose["services"].values() for volume in part["volumes"]
    }
    assert {name for name in named if not name.startswith(".")} == set(compose["volumes"])


def test_the_config_in_the_kubernetes_example_is_right(tmp_path: Path) -> None:
    parts = {part["kind"]: part for part in documents(DEPLOY / "kubernetes" / "replycast.yaml")}
    text = parts["ConfigMap"]["data"]["config.yaml"]
    for name in re.findall(r"/run/secrets/replycast/([\w.]+)", text):
        (tmp_path / name).write_text("a-secret-for-the-test\n")
        (tmp_path / name).chmod(0o600)
    text = text.replace("/run/secrets/replycast", str(tmp_path))
    config = parse(text, tmp_path / "config.yaml", {"REPLYCAST_SECRET_KEY": "0123456789abcdef" * 4})
    assert config.warnings == ()


_MANIFESTS = DEPLOY / "kubernetes" / "replycast.yaml"


@pytest.mark.parametrize("version", ["1.25", "1.37"])
def test_every_kubernetes_manifest_is_of_its_schema(version: str) -> None:
    asked = ("--strict", "--kubernetes-version", version)
    code, said = judged("kubernetes-validate", *asked, _MANIFESTS, text="")
    assert code == 0, said
    assert said.count(" passed ") == len(documents(_MANIFESTS))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true"),
        ("replicas: 1", "replicas: one"),
        ("pathType: Prefix", "pathtype: Prefix"),
    ],
)
def test_a_manifest_with_a_slip_is_found(tmp_path: Path, was: str, now: str) -> None:
    text = _MANIFESTS.read_text()
    assert was in text
    (tmp_path / "replycast.yaml").write_text(text.replace(was, now))
    code, said = judged("kubernetes-validate", "--strict", tmp_path / "replycast.yaml", text="")
    assert code != 0, said


def test_on_kubernetes_a_new_version_starts_once_the_old_one_has_ended() -> None:
    parts = {part["kind"]: part for part in documents(_MANIFESTS)}
    assert parts["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


def test_the_kubernetes_example_fits_together() -> None:
    parts = {part["kind"]: part for part in documents(DEPLOY / "kubernetes" / "replycast.yaml")}
    pod = parts["Deployment"]["spec"]["template"]
    [container] = pod["spec"]["containers"]
    assert parts["Service"]["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["spec"]["volumes"]
    }
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    [rule] = parts["Ingress"]["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == parts["Service"]["metadata"]["name"]
