"""A store in which one incident says everything that the corpus has, wherever something from outside can stand."""

from collections.abc import Iterator

import pytest

from tests.safety.incident import Told, told_in


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Give the incident; the tests of a module only read it."""
    folder = tmp_path_factory.mktemp("hostile")
    with told_in(folder) as found:
        yield found
