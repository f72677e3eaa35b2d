"""What every test may use, and how tests are sorted onto workers. The fixtures themselves stand in tests/support."""

import pytest
import structlog
from hypothesis import settings

pytest_plugins = ("tests.support.databases", "tests.support.browser", "tests.support.golden")

# Plain tracebacks: drawing one with all its values takes seconds on a busy machine.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
    logger_factory=structlog.PrintLoggerFactory(),
)

# A deadline measures the machine, not the code.
settings.register_profile("stanch", deadline=None)
settings.load_profile("stanch")

# Tests of one group run on one worker, one after the other: each of these takes a core for itself.
_ONE_WORKER_EACH = ("drill", "browser")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes golden files again."""
    parser.addoption("--refresh-golden", action="store_true", help="write the files of expected output again")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they use, so that subsets can be chosen, and group the heavy ones."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        callspec = getattr(item, "callspec", None)
        if "postgres_url" in fixtures or "bare_postgres_url" in fixtures or _is_postgres_case(callspec):
            item.add_marker("postgres")
        if "chromium" in fixtures:
            item.add_marker("browser")
        if "golden" in fixtures:
            item.add_marker("golden")
        for group in _ONE_WORKER_EACH:
            if item.get_closest_marker(group) is not None and item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop where groups do nothing: two drills at once starve each other, and nobody would know why."""
    is_worker = hasattr(session.config, "workerinput")
    grouped = [item for item in session.items if item.get_closest_marker("xdist_group") is not None]
    if is_worker and session.config.getoption("loadgroup", False) and any("@" not in item.nodeid for item in grouped):
        raise pytest.UsageError("pytest-xdist does not group tests with this version of pytest: see pyproject.toml")


def _is_postgres_case(callspec: object) -> bool:
    params: dict[str, object] = getattr(callspec, "params", {})
    return "postgres" in (params.get("database_url"), params.get("bare_database_url"))
