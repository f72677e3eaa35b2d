"""What a model said, on the pages: nothing where none is configured, its words with their citations where one is."""

from dataclasses import replace

import httpx2

from stanch.incidents import events as ev
from stanch.incidents.recorded.thinking import Claim, Outcome, Standing, Statement, Use
from stanch.kernel.actor import person
from tests.surfaces.web.story import Story


def asked(story: Story, call: int, use: Use, **kept: object) -> None:
    """Put a call and its answer on record."""
    stream = ev.thinker_stream(1)
    question = ev.ThoughtAsked(
        call=call,
        use=use,
        provider="local",
        place="127.0.0.1:11434",
        model="scripted",
        digest="d" * 64,
        characters=9_000,
        reserved_tokens=5_000,
        redacted={"password": 2},
    )
    ended = ev.ThoughtEnded(
        call=call, use=use, outcome=Outcome.ANSWERED, digest="d" * 64, model="scripted", dropped={"uncited": 3}
    )
    story.say(question, actor=person("alice"), stream=stream)
    story.say(replace(ended, **kept), stream=stream)  # type: ignore[arg-type]  # the fields of a test's own choice


def test_without_a_model_no_page_speaks_of_one(client: httpx2.Client, story: Story) -> None:
    """Off is not shown."""
    story.declare()

    assert (False, False) == (
        'id="thinker"' in client.get("/i/1").text,
        'id="drafted"' in client.get("/i/1/messages").text,
    )


def test_what_it_said_stands_there_with_what_it_cites(client: httpx2.Client, story: Story) -> None:
    """Sentences, causes with what speaks against them, and the calls with what was not believed."""
    story.declare()
    said = Statement(text="Payments times out.", cites=("e-1",))
    claim = Claim(
        title="The pool", reason="It is full.", cites=("e-1",), standing=Standing.CONTRADICTED, objections=(said,)
    )
    asked(story, 1, Use.SUMMARY, statements=(said,))
    asked(story, 2, Use.HYPOTHESES, claims=(claim,))
    page = client.get("/i/1").text

    assert [] == [
        words
        for words in ("Payments times out.", 'href="#e-1"', "contradicted", "password 2", "uncited 3", "Add it as mine")
        if words not in page
    ]


def test_a_draft_waits_in_a_form(client: httpx2.Client, story: Story) -> None:
    """It is no part of what would go out until somebody takes it over."""
    story.declare()
    asked(story, 1, Use.UPDATE, statements=(Statement(text="Payments times out.", cites=("e-1",)),))
    page = client.get("/i/1/messages").text

    assert (True, False) == (
        'maxlength="4000">Payments times out.</textarea>' in page,
        'name="text" value="Payments times out."' in page,
    )


def test_a_button_asks(client: httpx2.Client, story: Story) -> None:
    """Where nothing may be asked it is refused, and nothing is on record."""
    story.declare()
    origin = {"origin": str(client.base_url).rstrip("/")}
    answer = client.post("/do/thinker/summary", data={"incident": "1"}, headers=origin)

    with story.store.reading() as view:
        recorded = view.events(stream=ev.thinker_stream(1))

    assert (409, []) == (answer.status_code, recorded)
