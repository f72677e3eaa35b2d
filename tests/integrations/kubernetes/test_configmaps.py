"""ConfigMaps as configuration changes, by the real kubectl against an API server that speaks its calls."""

from datetime import timedelta
from pathlib import Path

from stanch.integrations.kubernetes import ConfigMaps
from stanch.integrations.program import LocalPrograms
from stanch.ports.changes import Change, ChangeKind
from tests.integrations.kubernetes.cluster import NOW, Object, api, configmap, deployment
from tests.integrations.kubernetes.test_kubernetes import spec
from tests.support.answering import answering

OLD = {"PAGE_SIZE": "50", "application.yaml": "pool:\n  size: 20\n  timeout: 5s\n"}
NEW = {"PAGE_SIZE": "50", "application.yaml": "pool:\n  size: 2\n  timeout: 5s\n"}


def looks(folder: Path, *clusters: tuple[tuple[Object, ...], tuple[Object, ...]]) -> list[list[Change]]:
    """Return what one source says of the same cluster at several looks: its ConfigMaps and its deployments then."""
    answers: dict[str, object] = {}
    with answering(answers) as heard:
        source = ConfigMaps(spec(folder, heard.url), programs=LocalPrograms())
        found = []
        for configmaps, deployments in clusters:
            answers.update(api(configmaps=configmaps, deployments=deployments))
            found.append(source.changes(services=(), start=NOW - timedelta(hours=1), end=NOW + timedelta(minutes=1)))
    assert {"GET"} == heard.methods
    return found


def test_one_that_was_written_is_a_configuration_change(tmp_path: Path) -> None:
    """When and by whom stands in its managed fields; whose it is says the workload that reads it."""
    written = configmap("settings", version=7, minutes_ago=4, data=OLD)
    ((found,),) = looks(tmp_path, ((written,), (deployment(reads="settings"),)))

    assert (ChangeKind.CONFIG, "payments", NOW - timedelta(minutes=4), "kubectl-edit", "") == (
        found.kind,
        found.service,
        found.at,
        found.author,
        found.diff,
    )


def test_one_of_before_the_window_is_left_out(tmp_path: Path) -> None:
    """What was written hours ago is no change of now."""
    assert [[]] == looks(tmp_path, ((configmap("settings", version=7, minutes_ago=200, data=OLD),), ()))


def test_what_changed_between_two_looks_has_a_diff(tmp_path: Path) -> None:
    """The second look knows what the first one saw, and names the keys that differ."""
    before = configmap("settings", version=7, minutes_ago=200, data=OLD)
    after = configmap("settings", version=8, minutes_ago=1, data=NEW)
    _, (found,) = looks(tmp_path, ((before,), ()), ((after,), ()))

    assert ("ConfigMap settings written (application.yaml)", "settings@8", "settings@7", True) == (
        found.title,
        found.version,
        found.previous,
        "-  size: 20\n+  size: 2\n" in found.diff,
    )


def test_a_third_look_says_the_same(tmp_path: Path) -> None:
    """As long as nothing is written again, a change keeps its id and its diff."""
    before = configmap("settings", version=7, minutes_ago=200, data=OLD)
    after = configmap("settings", version=8, minutes_ago=1, data=NEW)
    _, second, third = looks(tmp_path, ((before,), ()), ((after,), ()), ((after,), ()))

    assert second == third


def test_labels_say_whose_it_is_where_nobody_reads_it(tmp_path: Path) -> None:
    """Without a workload that names it, the app of its labels counts."""
    ((found,),) = looks(tmp_path, ((configmap("x", version=1, minutes_ago=1, data=OLD, app="payments"),), ()))

    assert "payments" == found.service


def test_a_secret_in_it_stays_there(tmp_path: Path) -> None:
    """What looks like a secret is not in the diff."""
    before = configmap("settings", version=7, minutes_ago=200, data={"db_password": "hunter2hunter2"})
    after = configmap("settings", version=8, minutes_ago=1, data={"db_password": "hunter3hunter3"})
    _, (found,) = looks(tmp_path, ((before,), ()), ((after,), ()))

    assert (True, False) == ("db_password" in found.diff, "hunter" in found.diff)
