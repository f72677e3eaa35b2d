"""The corpus on its way to a model and back: what leaves is data, what comes back is text, and nothing is done."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from stanch.app.thinker import open_thinker
from stanch.app.wiring import DUTIES
from stanch.catalog.thinker import ThinkerSpec
from stanch.diagnose.thinking.checking import believe
from stanch.diagnose.thinking.material import Material, Source, material_of
from stanch.diagnose.thinking.tasks import task_of
from stanch.engine.loop import Engine
from stanch.incidents.folding import fold_all
from stanch.incidents.recorded.thinking import Use
from stanch.kernel.actor import Via, person
from stanch.operations import registry
from stanch.operations.thinking import ThinkerView
from stanch.operations.world import Call, World
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api
from stanch.surfaces.web import pages
from tests.safety.incident import Told, told_in
from tests.support.hostile import CORPUS, hidden_in, read_html
from tests.support.models import Model, model
from tests.surfaces.serving import serving
from tests.surfaces.web.story import OPERATIONS


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Give an incident of the corpus that a test may write to."""
    with told_in(tmp_path_factory.mktemp("thinker")) as found:
        yield found


@pytest.fixture
def far() -> Iterator[Model]:
    """Give a model with nothing to say yet."""
    with model() as found:
        yield found


def world_with(told: Told, far: Model) -> World:
    """Return the world with a model that may be asked for everything, as much as it takes."""
    spec = ThinkerSpec(
        provider="local",
        model="scripted",
        url=far.url,
        uses=("summary", "update", "hypotheses"),
        calls=1_000,
        tokens=100_000_000,
        most_characters=400_000,
    )
    catalog = replace(told.story.world.catalog, thinker=spec)
    return replace(told.story.world, catalog=catalog, thinker=open_thinker(spec))


def ask(world: World, name: str) -> object:
    """Ask as a person does, and let the engine do it."""
    entry = OPERATIONS[name]
    call = Call(world=world, actor=person("alice"), via=Via.WEB)
    answer = registry.call(entry, call, registry.decode(entry, {"incident": 1}))
    Engine(world, {"think": DUTIES["think"]}).run_until_quiet(rounds=10)
    return answer


def test_what_leaves_is_one_value_of_json(told: Told) -> None:
    """No string breaks out of the data, and none hides in it; the task is the same whatever the incident says."""
    with told.story.world.store.reading() as view:
        events = view.events(incident=1)
    state = fold_all(events)
    assert state is not None
    material = material_of(state, events, most=400_000)

    assert ({"incident", "findings", "entries"}, set(), False) == (
        set(json.loads(material.text)),
        hidden_in(material.text),
        CORPUS["prompt-ignore"] in task_of(Use.SUMMARY).words,
    )


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_what_comes_back_is_a_plain_sentence_or_nothing(name: str) -> None:
    """No markup, no link, no mention, nothing hidden, however well it cites."""
    source = Source(text=json.dumps(CORPUS[name]), saw=True)
    material = Material(text="", sources={"e-1": source}, facts="{}", redacted={}, left_out=0)
    answer = json.dumps({"statements": [{"text": CORPUS[name], "cites": ["e-1"]}]})
    kept = " ".join(one.text for one in believe(answer, use=Use.UPDATE, material=material).statements)

    assert (set(), (), False) == (hidden_in(kept), read_html(kept).doing, "://" in kept or "<" in kept or "](" in kept)


def test_a_model_that_obeys_strangers_does_nothing(own: Told, far: Model) -> None:
    """It says what the log told it to say: no approval, no run, no status and no message follows."""
    world = world_with(own, far)
    with world.store.reading() as view:
        before = view.events(incident=1)
    cite = next(event.seq for event in before if event.kind == "incident.note_added")
    obeyed = CORPUS["prompt-ignore"].replace("INC-1.", "now.")
    cited = {"cites": [f"e-{cite}"]}
    far.says(
        {"statements": [{"text": obeyed, **cited}], "approve": [own.story.plan.id], "run": "rollback"},
        {"hypotheses": [{"title": obeyed, "reason": obeyed, "cause": "bad_deploy", **cited}]},
        {"objections": []},
    )
    ask(world, "thinker.update")
    ask(world, "thinker.hypotheses")
    with world.store.reading() as view:
        after = view.events(incident=1)[len(before) :]

    assert ({"thinker.asked", "thinker.sent", "thinker.ended"}, 3) == ({event.kind for event in after}, len(far.heard))


def test_no_page_does_what_a_model_says(own: Told, far: Model) -> None:
    """Its words on the incident's page and on that of the messages are text, also where the check lets them through."""
    world = world_with(own, far)
    with world.store.reading() as view:
        cite = next(event.seq for event in view.events(incident=1) if event.kind == "incident.note_added")
    cited = {"cites": [f"e-{cite}"]}
    said = [{"text": text, **cited} for text in CORPUS.values()]
    far.says(
        {"statements": said},
        {"statements": said},
        {"hypotheses": [{"title": text[:300], "reason": text, **cited} for text in CORPUS.values()]},
        {"objections": [{"hypothesis": 1, "reason": text, **cited} for text in CORPUS.values()]},
    )
    for name in ("summary", "update", "hypotheses"):
        ask(world, f"thinker.{name}")
    shown = ask_show(world)
    front = Front.of(world, OPERATIONS)
    routes = [*api.routes(front), *pages.routes(front)]
    found: list[object] = []
    with (
        serving(application(front, routes=routes, page_error=pages.page_error(front)), front) as url,
        httpx2.Client(base_url=url, cookies={"stanch_person": "alice"}, headers={"accept": "text/html"}) as client,
    ):
        for path in ("/i/1", "/i/1/messages"):
            answer = client.get(path)
            found += [answer.status_code] if answer.status_code != 200 else []
            found += [*read_html(answer.text).doing, *hidden_in(answer.text)]

    assert ([], True, True) == (found, bool(shown.claims), shown.summary is not None)


def ask_show(world: World) -> ThinkerView:
    """Return what is known of a model."""
    entry = OPERATIONS["thinker.show"]
    call = Call(world=world, actor=person("alice"), via=Via.WEB)
    found = registry.call(entry, call, registry.decode(entry, {"incident": 1}))
    assert isinstance(found, ThinkerView)
    return found
