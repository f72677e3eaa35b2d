"""A cluster to act on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integrations.kubernetes.acting import Cluster
from tests.integrations.kubernetes.apiserver import serving, shop
from tests.support.needs import require


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Give a cluster in which payments was rolled out from v3.2.0 to v3.2.1."""
    require("kubectl")
    with serving(shop()) as server:
        yield Cluster(server, tmp_path)
