"""Systems in stanch.toml: what is read, what is complained of, and that no secret stands there."""

from pathlib import Path

import pytest

from stanch.app.systems import open_systems, spec_of
from stanch.catalog.load import read_catalog
from stanch.catalog.model import Catalog
from stanch.catalog.systems import SYSTEM_KINDS
from stanch.kernel.errors import Invalid
from stanch.ports.issues import Act


def catalog(**systems: dict[str, object]) -> Catalog:
    """Return the catalog of a file with these systems and the service payments."""
    return read_catalog({"services": {"payments": {}}, "systems": systems}, root=Path("/srv/shop"))


def problems(**system: object) -> list[str]:
    """Return what is complained of about one system."""
    with pytest.raises(Invalid) as invalid:
        catalog(db=system)
    return [f"{one.field}: {one.message}" for one in invalid.value.problems]


def test_the_key_is_the_kind() -> None:
    """`[systems.redis]` needs no kind."""
    assert "redis" == catalog(redis={"url": "redis://127.0.0.1"}).systems["redis"].kind


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ({"kind": "postgres", "url": "x"}, "did you mean postgresql?"),
        ({"kind": "postgresql"}, "db.url: is missing: postgresql needs it"),
        ({"kind": "postgresql", "url": "postgresql://a:hunter2@h/x"}, "must hold no password"),
        ({"kind": "redis", "url": "http://127.0.0.1"}, "must begin with redis:// or rediss://"),
        ({"kind": "linux", "url": "http://127.0.0.1"}, "is not used by this kind"),
        ({"kind": "redis", "url": "redis://h", "secret_env": "hunter2!"}, "the name of an environment variable"),
        ({"kind": "redis", "url": "redis://h", "services": ["paymets"]}, "did you mean payments?"),
        ({"kind": "kubernetes", "namespace": "--all-namespaces"}, "does not begin with a dash"),
        ({"kind": "jvm", "pid": "1; rm"}, "the number of a process"),
        ({"kind": "sqlite"}, "db.path: is missing: sqlite needs it"),
        ({"kind": "sqlite", "path": "--x.db"}, "does not begin with a dash"),
        ({"kind": "github"}, "db.project: is missing: github needs it"),
        ({"kind": "redis", "url": "redis://h", "timeout_s": "2h"}, "must be at most 60"),
    ],
)
def test_what_is_wrong_is_said(system: dict[str, object], said: str) -> None:
    """Each mistake names its key, and no complaint repeats a secret."""
    found = problems(**system)

    assert (True, False) == (any(said in one for one in found), "hunter2@" in repr(found))


def test_the_secret_comes_from_the_environment() -> None:
    """What the variable holds goes to the integration and is in no repr."""
    made = catalog(db={"kind": "postgresql", "url_env": "DB_URL", "secret_env": "DB_PASSWORD"})
    spec = spec_of(made.systems["db"], made, environment={"DB_URL": "postgresql://h/x", "DB_PASSWORD": "hunter2"})

    assert ("postgresql://h/x", "hunter2", False) == (spec.url, spec.secret, "hunter2" in repr(spec))


def test_a_kubeconfig_starts_at_the_root() -> None:
    """A relative path is relative to the folder of the file."""
    made = catalog(cluster={"kind": "kubernetes", "kubeconfig": "kube/config"})

    assert "/srv/shop/kube/config" == spec_of(made.systems["cluster"], made, environment={}).settings["kubeconfig"]


@pytest.mark.parametrize("kind", SYSTEM_KINDS)
def test_every_kind_is_made(kind: str) -> None:
    """Each kind that may be configured gives something to ask: queries, lines or changes."""
    schemes = SYSTEM_KINDS[kind]
    url = {"url": f"{schemes[0]}://127.0.0.1:1/x"} if schemes else {}
    needs = {
        "jvm": {"pid": "1"},
        "python": {"pid": "1"},
        "github": {"project": "a/b"},
        "gitlab": {"project": "a/b"},
        "sentry": {"organization": "a"},
        "sentry-mcp": {"organization": "a"},
        "launchdarkly": {"project": "a"},
        "flagd": {"path": "flags.json"},
        "sqlite": {"path": "/srv/ledger.db"},
    }
    found = open_systems(catalog(it={"kind": kind, **url, **needs.get(kind, {})}), environment={})

    assert 1 <= len(found.sources) + len(found.logs) + len(found.changes) + len(found.collectors)


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ({"kind": "sentry", "organization": "a", "write_back": ["nte"]}, "did you mean note?"),
        ({"kind": "redis", "url": "redis://h", "seer": True}, "is not used by redis"),
        ({"kind": "sentry-mcp", "organization": "a"}, "either the program or the url"),
        ({"kind": "sentry", "organization": "a", "command": ["npx"]}, "is not used by sentry"),
    ],
)
def test_what_is_wrong_with_a_tracker_is_said(system: dict[str, object], said: str) -> None:
    """What is no act, a key of a tracker on something else, and a server that is nowhere."""
    assert any(said in one for one in problems(**system))


def test_a_tracker_is_off() -> None:
    """What is configured without a word about writing may write nothing, and start no analysis."""
    desk = open_systems(catalog(it={"kind": "sentry", "organization": "a"}), environment={}).desks["it"]

    assert ([False] * len(Act), None) == ([desk.may(act) for act in Act], desk.analyses)
