"""What somebody may send once and everybody would carry ever after: silences without end, texts that cannot be kept."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from stanch.alerts.intake.matchers import Matcher
from stanch.alerts.intake.silences import Silence, check_silence
from stanch.kernel.errors import Invalid
from stanch.surfaces.http.alertmanager.posted import _NUL

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ONE = (Matcher(name="a", value="b"),)


def field_of(*, matchers: tuple[Matcher, ...] = ONE, comment: str = "", created_by: str = "") -> str:
    """Return the field that is refused."""
    wanted = Silence(
        id="",
        matchers=matchers,
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
        updated_at=NOW,
        comment=comment,
        created_by=created_by,
    )
    with pytest.raises(Invalid) as refusal:
        check_silence(wanted, now=NOW)
    return refusal.value.problems[0].field


def test_a_comment_has_an_end() -> None:
    """Whoever lists the silences reads all of them."""
    assert "comment" == field_of(comment="x" * 4097)


def test_a_name_has_an_end() -> None:
    """The same for who made it."""
    assert "createdBy" == field_of(created_by="x" * 4097)


def test_matchers_have_an_end() -> None:
    """Each is tried on every alert."""
    assert "matchers" == field_of(matchers=ONE * 101)


@pytest.mark.parametrize("place", ["comment", "created_by"])
def test_a_nul_is_refused(place: str) -> None:
    """One of the two databases cannot keep it."""
    assert field_of(**{place: "a\0b"}) in ("comment", "createdBy")  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "held"), [("a\0b", True), ("\\u0000", False), ("\\\0", True), ("plain", False)])
def test_a_nul_is_told_from_what_looks_like_one(text: str, held: bool) -> None:
    """As JSON writes them."""
    assert held is (_NUL.search(msgspec.json.encode(text)) is not None)
