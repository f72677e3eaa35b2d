"""One MariaDB for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.maria import Maria, maria_in


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maria]:
    """Give a running MariaDB."""
    with maria_in(tmp_path_factory.mktemp("maria")) as found:
        yield found
