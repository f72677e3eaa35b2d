"""Templates: what a line becomes, what is left out, one's own before the shipped ones, mistakes by name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stanch.comms.messages import Audience, compose
from stanch.comms.template import fill, read_template, variables
from stanch.comms.templates import choose, open_templates, read_templates, shipped
from stanch.comms.words import AMONG_OURSELVES, INSIDE, PURPOSES, VARIABLES
from stanch.incidents.model import Severity
from stanch.kernel.blockdata import read_blocks, write_blocks
from stanch.kernel.blocks import Bullets, Fields, Heading, Link, Mono, Paragraph, Strong
from stanch.kernel.errors import Invalid
from tests.comms.test_messages import URL, at_step
from tests.incidents.lives import NOW

TEXT = """[{severity}] {title}

- Status: {status}
- Cause: {cause}

**Next:** by {next_update}
`stanch ack {incident}`

# Since
- {changed}

- {work}

[See it]({url})

@SEV1-SEV2 Join {war_room}
"""


def filled(severity: str = "SEV2", **values: str | tuple[str, ...]) -> tuple[object, ...]:
    """Return the blocks of the text with these values."""
    return fill(read_template(TEXT), values, severity=severity)[1][1:]


def test_lines_become_blocks() -> None:
    """Facts, paragraphs with strong words and code, headings, lists and links."""
    blocks = filled(
        status="open", next_update="14:45", incident="INC-7", changed=("a", "b"), work="x", url="https://s/i/7"
    )

    assert (
        Fields((("Status", "open"),)),
        Paragraph((Strong("Next:"), " by 14:45\n", Mono("stanch ack INC-7"))),
        Heading("Since", level=3),
        Bullets(("a", "b")),
        Bullets(("x",)),
        Link("https://s/i/7", "See it"),
    ) == blocks


def test_what_says_nothing_is_left_out() -> None:
    """A line without a value, a heading above nothing, a block without lines."""
    assert () == filled()


@pytest.mark.parametrize(("severity", "shown"), [("SEV1", True), ("SEV2", True), ("SEV3", False)])
def test_a_line_can_be_for_some_severities(severity: str, shown: bool) -> None:
    """As its mark says."""
    assert shown is bool(filled(severity, war_room="https://call.example"))


def test_values_are_no_markup() -> None:
    """What is filled in is text, also where it looks like a variable or like markup."""
    assert (Fields((("Status", "**x** {title} [a](b)"),)),) == filled(status="**x** {title} [a](b)")


def test_blocks_are_kept_as_data() -> None:
    """A message that waits is what it was when it is sent."""
    blocks = fill(read_template(TEXT), {"status": "open", "changed": ("a",), "url": "https://s"}, severity="SEV1")[1]

    assert blocks == read_blocks(write_blocks(blocks))


def test_every_purpose_has_a_template() -> None:
    """For everybody who is told of it."""
    wanted = {
        f"{purpose}.{audience.value}"
        for purpose in PURPOSES
        for audience in Audience
        if audience is Audience.RESPONDERS or purpose not in AMONG_OURSELVES
        if (purpose == "declaration") <= (audience is Audience.RESPONDERS)
        if (purpose == "initial") <= (audience is not Audience.RESPONDERS)
    }

    assert set() == wanted - set(shipped())


def test_shipped_templates_name_known_variables() -> None:
    """And those for the public none of the inside."""
    wrong = {
        (name, word)
        for name, template in shipped().items()
        for word in variables(template)
        if word not in VARIABLES or ("public" in name and word in INSIDE)
    }

    assert set() == wrong


def test_ones_own_comes_before_the_shipped(tmp_path: Path) -> None:
    """That for the severity before that for all."""
    (tmp_path / "update.public.md").write_text("own {incident}\n")
    (tmp_path / "update.public.sev1.md").write_text("worst {incident}\n")
    own = open_templates(tmp_path)
    subjects = [
        choose(own, purpose="update", audience=Audience.PUBLIC, severity=severity).subject
        for severity in ("SEV1", "SEV2")
    ]

    assert ["worst {incident}", "own {incident}"] == subjects


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("update.public", "{incidnt}", "did you mean incident?"),
        ("update.public", "{incident}\n\n- Error: {error}", "not for the public"),
        ("updat.public", "x", "did you mean update?"),
        ("update.publik", "x", "did you mean public?"),
        ("update.public.sev5", "x", "sev1 to sev4"),
        ("update.public", "", "has no first line"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    """With the file, and the word that was probably meant."""
    (tmp_path / f"{name}.md").write_text(text)
    found, [problem] = read_templates(tmp_path)

    assert ({}, True, True) == (found, words in problem.message, problem.field.endswith(f"{name}.md"))


def test_a_wrong_template_stops_the_start(tmp_path: Path) -> None:
    """Better than a message with a hole."""
    (tmp_path / "update.public.md").write_text("{nothing}")
    with pytest.raises(Invalid):
        open_templates(tmp_path)


@pytest.mark.parametrize(
    ("purpose", "more"),
    [
        ("reminder", {"due": "14:45 UTC", "lead_words": "alice, please send it.", "changed": ("Bob took it on",)}),
        (
            "handover",
            {
                "role": "Incident commander",
                "person": "bob",
                "duty": "Hold the course.",
                "decisions": ("14:31 alice is commander",),
                "open": ("A plan waits for a decision",),
            },
        ),
        ("facts", {"war_room": "https://call.example", "status_page": "https://status.example"}),
    ],
)
def test_what_responders_are_told_among_themselves(
    purpose: str, more: dict[str, str | tuple[str, ...]], golden: Callable[[str, str], None]
) -> None:
    """Reminders, hand-overs and the pinned facts, as plain text."""
    said = compose(
        at_step("update"),
        purpose=purpose,
        audience="responders",
        now=NOW,
        url=URL,
        next_update_at=None,
        note="said by alice" if purpose == "handover" else "",
        more=more,
    )
    golden(f"{purpose}.responders.txt", said.text + "\n")


@pytest.mark.parametrize("severity", ["SEV1", "SEV3"])
def test_a_severity_of_its_own(severity: str, golden: Callable[[str, str], None]) -> None:
    """The worst are called to the war room by the declaration."""
    state = at_step("declaration")
    state = replace(state, ruling=replace(state.ruling, severity=Severity[severity]))
    said = compose(
        state,
        purpose="declaration",
        audience="responders",
        now=NOW,
        url=URL,
        next_update_at=None,
        more={"war_room": "https://call.example"},
    )
    golden(f"declaration.responders.{severity.lower()}.txt", said.text + "\n")
