"""A first configuration: valid as it stands, nothing guessed that would be a false alarm."""

import tomllib
from pathlib import Path

import pytest

from stanch.catalog.first import ComposeService, Surroundings, first_document, read_compose
from stanch.catalog.load import read_catalog
from stanch.catalog.model import Catalog

COMPOSE = """\
# the shop
version: "3"
services:
  web:
    build: .          # ours
    ports:
      - "8080:80"
      - 127.0.0.1:9090:9090/tcp
      - "3000"
    depends_on:
      - db
      - cache
  worker:
    image: registry.example.org/team/worker:7
    depends_on:
      db:
        condition: service_healthy
  db:
    image: postgres:16
  cache:
    image: "redis"
volumes:
  data:
"""


def catalog(found: Surroundings) -> Catalog:
    """Return the catalog that the written document describes."""
    return read_catalog(tomllib.loads(first_document(found)), root=Path("/code"))


def test_services_are_read_in_their_order() -> None:
    """Names, ports, what they wait for, and whether the image is somebody else's."""
    assert (
        ComposeService(name="web", ports=(8080, 9090), depends_on=("db", "cache")),
        ComposeService(name="worker", depends_on=("db",)),
        ComposeService(name="db", is_library=True),
        ComposeService(name="cache", is_library=True),
    ) == read_compose(COMPOSE)


@pytest.mark.parametrize(
    "text", ["", "nothing: here", "services: {web: {build: .}}", "- a\n- b", "\x00", "services:\n"]
)
def test_what_is_not_understood_is_left_out(text: str) -> None:
    """Nothing is guessed from a file that is written another way."""
    assert () == read_compose(text)


def test_a_list_as_far_left_as_its_key_is_read() -> None:
    """Both ways of writing a list are usual."""
    (web, _) = read_compose("services:\n  web:\n    depends_on:\n    - db\n  db:\n    image: mysql\n")

    assert ("db",) == web.depends_on


@pytest.mark.parametrize(
    "found",
    [
        Surroundings(name="shop"),
        Surroundings(name="shop", is_repository=True, kubeconfig=True),
        Surroundings(name='it\'s "quoted" \\ \x7f \u2028', services=read_compose(COMPOSE), compose_file="compose.yaml"),
        Surroundings(name="§§§"),
        Surroundings(name="a.b", services=(ComposeService(name="a.b", ports=(1,)),), compose_file="c.yaml"),
    ],
)
def test_the_document_is_valid(found: Surroundings) -> None:
    """Whatever was found: what is written can be read."""
    assert found.name == catalog(found).name


def test_nothing_is_watched_by_a_guess() -> None:
    """A health page that may not be there would raise a false alarm."""
    found = Surroundings(name="shop", services=read_compose(COMPOSE), compose_file="compose.yaml", is_repository=True)

    assert {"web": 0, "worker": 0, "db": 0, "cache": 0} == {
        name: len(service.checks) for name, service in catalog(found).services.items()
    }


def test_the_dependencies_are_kept() -> None:
    """Who needs whom is known from the first day."""
    found = Surroundings(name="shop", services=read_compose(COMPOSE), compose_file="compose.yaml")

    assert ("db", "cache") == catalog(found).services["web"].depends_on
