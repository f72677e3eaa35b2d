"""What `stanch check` says of the settings of an action, before anything outside is asked."""

import re
from pathlib import Path

import pytest

from stanch.catalog.actuators import SETTINGS, wrong_settings
from stanch.catalog.load import load_catalog
from stanch.kernel.errors import Invalid

RIGHT: dict[str, dict[str, str]] = {
    "kubernetes.undo": {"name": "{service}", "to": "{previous}"},
    "kubernetes.scale": {"name": "payments", "replicas": "+2"},
    "kubernetes.restart": {"name": "payments", "kind": "statefulset"},
    "kubernetes.env": {"name": "payments", "variable": "POOL_SIZE", "value": "40"},
    "kubernetes.configmap": {"name": "payments", "key": "app.yaml", "remove": "true"},
    "kubernetes.pause": {"name": "payments"},
    "kubernetes.traffic": {"name": "payments", "selector": "app=payments,track=stable"},
    "systemd": {"unit": "{service}.service", "units": "payments.service"},
    "docker": {"container": "payments", "action": "limits", "memory": "512m"},
    "git.revert": {"commit": "{commit}", "push": "origin"},
    "git.hotfix": {"from": "v3.2.0", "commits": "0123abc, 4567def"},
    "github.revert": {"commit": "{commit}", "token_env": "GITHUB_TOKEN", "incident": "{incident}"},
    "gitlab.revert": {"commit": "{commit}", "url": "https://git.example/api/v4"},
    "postgresql.kill": {"on": "orders-db", "which": "blocking, idle_in_transaction", "at_most": "3"},
    "http": {"url": "https://gateway.example/limit", "check_url": "https://gateway.example/limit", "check_is": "50"},
    "flag.http": {"flag": "{flag}", "set": "off", "url": "https://flags.example/$flag", "path": "enabled"},
    "flag.launchdarkly": {
        "flag": "{flag}",
        "set": "off",
        "project": "shop",
        "environment": "production",
        "token_env": "LAUNCHDARKLY_TOKEN",
    },
    "flag.unleash": {
        "flag": "fast",
        "set": "25 %",
        "url": "https://unleash.example",
        "environment": "production",
        "token_env": "UNLEASH_TOKEN",
    },
    "flag.flagd": {"flag": "fast", "set": "{previous_value}", "file": "flags.json", "repository": "flags"},
    "sqlite.kill": {"on": "ledger", "at_least_s": "2"},
    "mysql.kill": {"on": "shop-db", "at_least_s": "60", "users": "checkout"},
}


@pytest.mark.parametrize("actuator", RIGHT)
def test_settings_that_are_right_are_not_complained_of(actuator: str) -> None:
    """Also with placeholders, which are filled in later."""
    assert [] == list(wrong_settings(actuator, RIGHT[actuator]))


@pytest.mark.parametrize("actuator", SETTINGS)
def test_a_setting_that_is_required_is_missed(actuator: str) -> None:
    """Each actuator needs to be told at least on what it acts."""
    required = {f"{one.name} is missing" for one in SETTINGS[actuator] if one.required}

    assert required == required & {wrong.partition(":")[0] for wrong in wrong_settings(actuator, {})} != set()


@pytest.mark.parametrize(
    ("actuator", "settings", "said"),
    [
        ("kubernetes.scale", {"name": "payments", "replicas": "many"}, "replicas cannot be 'many'"),
        ("kubernetes.scale", {"name": "--all", "replicas": "2"}, "name cannot be '--all'"),
        ("kubernetes.undo", {"name": "payments", "revision": "2"}, "revision is not known"),
        ("kubernetes.traffic", {"name": "payments", "kind": "ingress"}, "weight is missing"),
        ("kubernetes.env", {"name": "payments", "variable": "X"}, "value is missing"),
        ("systemd", {"unit": "{service}.service"}, "units is missing"),
        ("systemd", {"unit": "-H.service"}, "unit cannot be"),
        ("docker", {"container": "payments", "action": "limits"}, "memory or cpus is missing"),
        ("docker", {"container": "payments", "action": "rm"}, "action must be one of"),
        ("git.hotfix", {"from": "v1", "commits": "--upload-pack=x"}, "commits cannot be"),
        ("github.revert", {"commit": "HEAD"}, "commit cannot be"),
        ("postgresql.kill", {"on": "orders-db", "which": "all"}, "which cannot be"),
        ("flag.flagd", {"flag": "fast", "set": "half", "file": "x"}, "set cannot be"),
        ("mysql.kill", {"on": "shop-db", "at_most": "100"}, "at_most cannot be"),
    ],
)
def test_a_setting_that_cannot_be_is_told(actuator: str, settings: dict[str, str], said: str) -> None:
    """With its name and what is wrong with it."""
    assert [True] == [wrong.startswith(said) for wrong in wrong_settings(actuator, settings)]


def test_the_configuration_names_the_key(tmp_path: Path) -> None:
    """A mistake is told with the place in the file."""
    (tmp_path / "stanch.toml").write_text(
        "[services.payments]\n[[services.payments.actions]]\nname = 'more'\nmitigation = 'scale_up'\n"
        "uses = 'kubernetes.scale'\nsettings = {name = 'payments', replicas = 'x'}\n"
    )
    with pytest.raises(Invalid) as raised:
        load_catalog(tmp_path)

    assert [("services.payments.actions.0.settings", "replicas cannot be 'x': how many, or `+2`, `-1`")] == [
        (one.field, one.message) for one in raised.value.problems
    ]


DESCRIBED = [one for one in RIGHT if one.startswith(("kubernetes", "systemd", "docker", "git"))]


def described() -> str:
    """Return the page on actions."""
    return (Path(__file__).parents[2] / "docs" / "actions.md").read_text()


def test_every_setting_is_described() -> None:
    """The page names each actuator and, in its section, each of its settings."""
    sections = re.split(r"^### ", described(), flags=re.MULTILINE)[1:]
    missing = [
        f"{actuator}: {one.name}"
        for actuator in DESCRIBED
        for one in SETTINGS[actuator]
        if not any(actuator in section and re.search(rf"\b{one.name}\b", section) for section in sections)
    ]

    assert [] == missing


def test_the_examples_are_right(tmp_path: Path) -> None:
    """What the page shows can be copied into a configuration."""
    blocks = re.findall(r"^```toml\n(.*?)^```", described(), flags=re.MULTILINE | re.DOTALL)
    actions = [block for block in blocks if "[[services.payments.actions]]" in block]
    (tmp_path / "stanch.toml").write_text("[services.payments]\n" + "\n".join(actions))
    found = load_catalog(tmp_path).services["payments"].actions

    assert set(DESCRIBED) - {"git.revert", "gitlab.revert"} <= {one.uses for one in found}
