"""Scenario files: the shipped ones are right, and everything that is wrong in one's own is said at once."""

from pathlib import Path

import pytest

from stanch.catalog.gamedays.keys import EXPECT, SCENARIO, STEP, TARGET
from stanch.catalog.gamedays.model import ACTS, Act, TargetKind, digest_of, services_of
from stanch.catalog.gamedays.reading import mismatches, read_gamedays
from stanch.diagnose.kinds import KINDS

DOCS = Path(__file__).resolve().parents[3] / "docs" / "gamedays.md"

TARGETS = """
[targets.payments]
kind = "process"
services = ["payments"]
pid_files = ["run/payments.pid"]
most_share = 1.0

[targets.disk]
kind = "folder"
folder = "tmp"
most_bytes = 1000
"""


def written(root: Path, **files: str) -> Path:
    """Write files into the folder gamedays."""
    folder = root / "gamedays"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return root


def test_shipped_scenarios_are_right(tmp_path: Path) -> None:
    """Each can be read, and names kinds of hypotheses that exist."""
    known = read_gamedays(tmp_path)
    kinds = {kind.name for kind in KINDS}

    assert (11, (), []) == (
        len(known.scenarios),
        known.problems,
        [one.name for one in known.scenarios.values() if not kinds.issuperset(one.expect.kinds)],
    )


def test_a_shipped_one_is_played_on_a_declared_target(tmp_path: Path) -> None:
    """Its target stands for one of yours."""
    known = read_gamedays(written(tmp_path, targets=TARGETS), services=("payments",))
    scenario = known.scenarios["paused-process"]
    placed = scenario.on({"service": "payments"})

    assert (1, (), ("payments",), str(tmp_path / "run/payments.pid")) == (
        len(mismatches(scenario, known.targets)),
        mismatches(placed, known.targets),
        services_of(placed, known.targets),
        known.targets["payments"].pid_files[0],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('title = "x"\n', "steps: is missing"),
        ('title = "x"\nsteps = []\n', "steps: must not be empty"),
        ('title = "x"\n[[steps]]\ndo = "explode"\ntarget = "payments"\n', "steps.0.do: must be one of kill"),
        ('title = "x"\n[[steps]]\ndo = "kill"\ntarget = "paymants"\n', "did you mean payments?"),
        ('title = "x"\n[[steps]]\ndo = "cut"\ntarget = "payments"\n', "cannot be done to a target of kind process"),
        ('title = "x"\n[[steps]]\ndo = "fill"\ntarget = "disk"\n', "steps.0.bytes: is missing: fill needs it"),
        ('title = "x"\n[[steps]]\ndo = "fill"\ntarget = "disk"\nbytes = 2000\n', "is more than disk allows: 1,000"),
        ('title = "x"\nmost_share = 0.5\n[[steps]]\ndo = "kill"\ntarget = "payments"\nshare = 0.6\n', "allows: 50 %"),
        ('title = "x"\nwithin_s = 60\n[[steps]]\ndo = "kill"\ntarget = "payments"\nat_s = 60\n', "before the end"),
        (
            'title = "x"\n[[steps]]\ndo="kill"\ntarget="payments"\n[[steps]]\ndo="fill"\ntarget="disk"\nbytes=1\n',
            "hit 2",
        ),
        (
            'title = "x"\n[[steps]]\ndo = "kill"\ntarget = "payments"\n[expect]\nkinds = ["bad"]\n',
            "is not known: 'bad'",
        ),
        ('title = "x"\nwithin = 5\n[[steps]]\ndo = "kill"\ntarget = "payments"\n', "did you mean within_s?"),
        ("title = ", "gamedays/own.toml: is not TOML"),
    ],
)
def test_mistakes_in_scenarios_are_said(tmp_path: Path, text: str, expected: str) -> None:
    """Where it is, what is wrong, and what was probably meant."""
    known = read_gamedays(written(tmp_path, targets=TARGETS, own=text), kinds=("bad_deploy",))
    told = "\n".join(f"{one.field}: {one.message}" for one in known.problems)

    assert expected in told, told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('kind = "process"', "pid_files: is missing: a target of kind process needs it"),
        ('kind = "command"\ndo = ["x"]', "undo: say how it is taken back"),
        ('kind = "proxy"\ncontrol = "here"', "control: must be a URL"),
        ('kind = "address"\naddress = "here"\nmost_connections = 1', "address: must be a host and a port"),
        ('kind = "person"\nperson = "zoe"', "person: names nobody: 'zoe'"),
        ('kind = "process"\npid_files = ["x"]\nservices = ["payment"]', "did you mean payments?"),
        ('kind = "process"\npid_files = ["x"]\nmost_share = 0', "most_share: must be above 0"),
    ],
)
def test_mistakes_in_targets_are_said(tmp_path: Path, text: str, expected: str) -> None:
    """A target that is wrong is none."""
    root = written(tmp_path, targets=f"[targets.t]\n{text}\n")
    known = read_gamedays(root, services=("payments",), people=("alice",))
    told = "\n".join(f"{one.field}: {one.message}" for one in known.problems)

    assert (True, {}) == (expected in told, known.targets), told


def test_the_digest_is_of_everything_that_would_be_done(tmp_path: Path) -> None:
    """A target that is changed is another thing to say yes to."""
    known = read_gamedays(written(tmp_path, targets=TARGETS))
    scenario = known.scenarios["killed-process"].on({"service": "payments"})
    other = read_gamedays(tmp_path).targets
    (tmp_path / "gamedays" / "targets.toml").write_text(TARGETS.replace("1.0", "0.9"))
    changed = read_gamedays(tmp_path).targets

    assert (True, False) == tuple(
        digest_of(scenario, known.targets) == digest_of(scenario, one) for one in (other, changed)
    )


def test_every_key_and_word_is_documented() -> None:
    """docs/gamedays.md names each key, each kind of target, each act and each shipped scenario."""
    text = DOCS.read_text(encoding="utf-8")
    words = [key.name for keys in (TARGET, SCENARIO, STEP, EXPECT) for key in keys]
    words += [*TargetKind, *Act, *read_gamedays(DOCS.parent).scenarios]

    assert [] == [word for word in words if f"`{word}`" not in text]


def test_every_kind_of_target_can_suffer_something() -> None:
    """And every act is known to some."""
    assert (set(TargetKind), set(Act)) == (set(ACTS), {act for acts in ACTS.values() for act in acts})
