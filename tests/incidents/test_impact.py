"""The blast radius: who is upstream of what fails, and what that makes of it."""

from stanch.catalog.model import Catalog, Service
from stanch.incidents.impact import case_of, upstream_of
from stanch.incidents.model import Impact
from tests.incidents.lives import NOW

SHOP = Catalog(
    services={
        service.name: service
        for service in (
            Service(name="gateway", tier=1, weight=1.0, depends_on=("checkout", "search")),
            Service(name="checkout", tier=1, weight=0.6, depends_on=("payments",)),
            Service(name="payments", tier=2, weight=0.3, depends_on=("acquirer",)),
            Service(name="acquirer", tier=1, weight=1.0, external=True),
            Service(name="search", tier=3, weight=0.1),
            Service(name="batch", tier=3, weight=0.05),
        )
    }
)


def impact(*down: str, affected: tuple[str, ...] = (), error_ratio: float | None = None) -> Impact:
    """Return an impact with these services failing."""
    return Impact(at=NOW, down=down, affected=affected, error_ratio=error_ratio)


def test_callers_are_affected_nearest_first() -> None:
    """What calls payments comes before what calls that."""
    assert ("checkout", "gateway") == upstream_of(SHOP, ["payments"])


def test_what_is_given_is_not_affected_by_itself() -> None:
    """Two failing services of one path are no caller of each other."""
    assert ("gateway",) == upstream_of(SHOP, ["checkout", "payments"])


def test_a_service_nobody_calls_affects_nobody() -> None:
    """A batch job stands alone."""
    assert () == upstream_of(SHOP, ["batch"])


def test_a_cycle_ends() -> None:
    """Two services that call each other are each upstream of the other, once."""
    circle = Catalog(
        services={
            "a": Service(name="a", depends_on=("b",)),
            "b": Service(name="b", depends_on=("a",)),
        }
    )

    assert ("b",) == upstream_of(circle, ["a"])


def test_the_weight_is_the_heaviest_that_is_reached() -> None:
    """A small service on a heavy path is as heavy as the path."""
    assert 1.0 == case_of(impact("payments", affected=("checkout", "gateway")), SHOP).weight


def test_a_critical_caller_makes_it_critical() -> None:
    """Payments is of tier 2, and a tier 1 service needs it."""
    assert case_of(impact("payments", affected=("checkout",)), SHOP).critical


def test_somebody_elses_service_alone_is_not_critical() -> None:
    """What an external service is called there says nothing about us."""
    assert not case_of(impact("acquirer"), SHOP).critical


def test_all_critical_services_down_is_a_total_outage() -> None:
    """Gateway and checkout are all that is critical here."""
    assert case_of(impact("gateway", "checkout"), SHOP).total_outage


def test_one_critical_service_down_is_no_total_outage() -> None:
    """The others still answer."""
    assert not case_of(impact("checkout", affected=("gateway",)), SHOP).total_outage


def test_failing_a_little_everywhere_is_no_total_outage() -> None:
    """Every critical service is failing, and most requests go through."""
    assert not case_of(impact("gateway", "checkout", error_ratio=0.1), SHOP).total_outage


def test_the_only_critical_service_is_no_total() -> None:
    """With one critical service there is no "all of them"; the share of failing requests decides."""
    lone = Catalog(services={"shop": Service(name="shop", tier=1)})

    assert not case_of(impact("shop"), lone).total_outage


def test_without_a_catalog_nothing_is_critical() -> None:
    """Nobody has said what matters."""
    assert (0.0, False, False) == (
        (found := case_of(impact("shop"), Catalog())).weight,
        found.critical,
        found.total_outage,
    )
