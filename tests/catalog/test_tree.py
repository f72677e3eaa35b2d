"""The decision tree as configuration: shipped, replaced, and wrong in exactly named places."""

from pathlib import Path

import pytest

from stanch.catalog.keys import MITIGATIONS
from stanch.catalog.load import load_catalog
from stanch.catalog.tree import CAUSES, SHIPPED_TREE, Branch, When
from stanch.diagnose.kind import MITIGATIONS as SUGGESTED
from stanch.diagnose.kinds import KINDS
from stanch.kernel.errors import Invalid

OWN = """
[[tree]]
question = "Is a disk full?"
when.words = ["No space left on device"]
when.teams = ["storage"]
mitigations = ["restart"]
advice = "make room"
"""
SERVICE = '[services.db]\nteam = "storage"\n'


def problems(folder: Path, text: str) -> dict[str, str]:
    """Return what is wrong with a configuration, by field."""
    (folder / "stanch.toml").write_text(SERVICE + text)
    with pytest.raises(Invalid) as error:
        load_catalog(folder)
    return {problem.field: problem.message for problem in error.value.problems}


def test_a_tree_ships() -> None:
    """Change, resource, dependency, database; else go on investigating."""
    assert [
        "Did a recent deploy or change cause it?",
        "Is a resource exhausted?",
        "Is a dependency failing?",
        "Is the database overloaded?",
    ] == [branch.question for branch in SHIPPED_TREE]


def test_without_a_tree_the_shipped_one_holds(tmp_path: Path) -> None:
    """An empty file is a valid configuration."""
    (tmp_path / "stanch.toml").write_text("")

    assert load_catalog(tmp_path).tree == SHIPPED_TREE


def test_the_kinds_are_those_that_are_diagnosed() -> None:
    """A tree can ask for every kind of cause there is, and for no other."""
    assert [kind.name for kind in KINDS] == list(CAUSES)


def test_what_causes_suggest_can_be_declared() -> None:
    """No cause asks for a mitigation that no action could serve."""
    assert {word for word in SUGGESTED if word != "investigate"} <= set(MITIGATIONS)


def test_every_shipped_branch_speaks_of_what_there_is() -> None:
    """The shipped tree holds by its own rules."""
    kinds = {kind for branch in SHIPPED_TREE for kind in branch.when.kinds}
    words = {word for branch in SHIPPED_TREE for word in branch.mitigations}

    assert (set(), set()) == (kinds - set(CAUSES), words - set(MITIGATIONS))


@pytest.mark.parametrize("file", ["stanch.toml", "tree.toml"])
def test_an_own_tree_takes_the_place_of_the_shipped_one(tmp_path: Path, file: str) -> None:
    """It stands in the configuration or in a file beside it."""
    (tmp_path / "stanch.toml").write_text(SERVICE)
    with (tmp_path / file).open("a") as written:
        written.write(OWN)
    branch = Branch(
        question="Is a disk full?",
        when=When(words=("No space left on device",), teams=("storage",)),
        mitigations=("restart",),
        advice="make room",
    )

    assert (branch,) == load_catalog(tmp_path).tree


def test_a_tree_in_both_places_is_a_mistake(tmp_path: Path) -> None:
    """Nobody has to guess which one holds."""
    (tmp_path / "tree.toml").write_text(OWN)

    assert {"tree": "stands here and in tree.toml: keep one of them"} == problems(tmp_path, OWN)


def test_a_file_of_the_tree_holds_nothing_else(tmp_path: Path) -> None:
    """A service in it would be overlooked."""
    (tmp_path / "tree.toml").write_text(f"{OWN}[services.x]\n")

    assert "services" in problems(tmp_path, "")


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ("mitigations = ['restarts']", "tree.0.mitigations", "'restarts' is no mitigation; did you mean restart?"),
        ("", "tree.0.mitigations", "is missing"),
        ("advise = 'x'\nmitigations = ['restart']", "tree.0.advise", "is not a key here; did you mean advice?"),
    ],
)
def test_mistakes_of_a_branch_are_named(tmp_path: Path, wrong: str, field: str, message: str) -> None:
    """Each with its place and what was probably meant."""
    text = f"[[tree]]\nquestion = 'q'\nwhen.kinds = ['bad_deploy']\n{wrong}\n"

    assert message == problems(tmp_path, text).get(field)


@pytest.mark.parametrize(
    ("when", "field", "message"),
    [
        ("kinds = ['bad_deplo']", "kinds", "'bad_deplo' is none of those there are; did you mean bad_deploy?"),
        ("services = ['dbb']", "services", "'dbb' is none of those there are; did you mean db?"),
        ("teams = ['nobody']", "teams", "'nobody' is none of those there are"),
        ("score = 2", "score", "must be at most 1, not 2"),
        ("word = ['x']", "word", "is not a key here; did you mean words?"),
    ],
)
def test_mistakes_of_a_condition_are_named(tmp_path: Path, when: str, field: str, message: str) -> None:
    """Each with its place and what was probably meant."""
    text = f"[[tree]]\nquestion = 'q'\nmitigations = ['restart']\n[tree.when]\n{when}\n"

    assert message == problems(tmp_path, text).get(f"tree.0.when.{field}")


def test_a_condition_that_says_nothing_is_a_mistake(tmp_path: Path) -> None:
    """A branch that is always taken would hide all below it."""
    text = "[[tree]]\nquestion = 'q'\nmitigations = ['restart']\nwhen.score = 0.5\n"

    assert "says nothing" in problems(tmp_path, text)["tree.0.when"]


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ("automatic = true\nrisk = 'irreversible'", "automatic", "what cannot be taken back never runs by itself"),
        (
            "automatic = true\nrisk = 'high'",
            "automatic",
            'it is of high risk: say guard.risk = "high", or that its risk is low',
        ),
        ("guard.most = 2", "guard", "guards nothing: the action is not automatic"),
        ("automatic = true\nrisk = 'low'\nguard.most = 0", "guard.most", "must be at least 1, not 0"),
        ("automatic = true\nrisk = 'low'\nguard.days = ['monday']", "guard.days", "'monday' is none of mon"),
        ("automatic = true\nrisk = 'low'\nguard.worst = 'SEV5'", "guard.worst", "must be one of SEV1"),
    ],
)
def test_mistakes_of_a_guard_are_named(tmp_path: Path, wrong: str, field: str, message: str) -> None:
    """What would never run by itself, or must not, is said before it is live."""
    text = f"[[services.db.actions]]\nname = 'x'\nmitigation = 'restart'\nrun = ['x']\n{wrong}\n"

    assert problems(tmp_path, text).get(f"services.db.actions.0.{field}", "").startswith(message)


@pytest.mark.parametrize("risk", ["read", "low"])
def test_to_end_sessions_is_never_of_low_risk(tmp_path: Path, risk: str) -> None:
    """Nothing takes it back, whatever its owner calls it."""
    text = (
        "[[services.db.actions]]\nname = 'x'\nmitigation = 'kill_queries'\nuses = 'postgresql.kill'\n"
        f"settings = {{ on = 'db' }}\nrisk = '{risk}'\n"
    )

    assert problems(tmp_path, text)["services.db.actions.0.risk"].startswith("must be high or irreversible")


def test_how_many_must_say_yes_is_configured(tmp_path: Path) -> None:
    """By risk, SEV1 first."""
    (tmp_path / "stanch.toml").write_text("[approvals]\nhigh = [1, 2, 2, 2]\n")

    assert ((1, 2, 2, 2), (1, 1, 1, 1)) == (
        load_catalog(tmp_path).approvals.high,
        load_catalog(tmp_path).approvals.low,
    )


@pytest.mark.parametrize("wrong", ["[1, 2, 2]", "[1, 2, 2, 2.5]", '["one", 1, 1, 1]', "[0, 1, 1, 1]"])
def test_a_number_of_people_that_is_none_is_named(tmp_path: Path, wrong: str) -> None:
    """Nobody's yes is not enough for what changes something."""
    assert "approvals.high" in problems(tmp_path, f"[approvals]\nhigh = {wrong}\n")
