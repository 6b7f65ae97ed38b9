"""The worker that trains beside the page, in a real browser."""

import pytest
from browsers import needs_browser
from engine_page import engine_page

pytestmark = [pytest.mark.slow, needs_browser]

# A worker whose looks and errors can be awaited in their order.
LISTENING = """
  const listen = settings => {
    const heard = [], waiting = [];
    const hear = message => (waiting.length ? waiting.shift()(message) : heard.push(message));
    const remote = lesson.worker(settings, hear, error => hear({ error }));
    const next = () => (heard.length ? Promise.resolve(heard.shift()) : new Promise(done => waiting.push(done)));
    const until = async (is) => {
      for (const seen = []; ; ) {
        const message = await next();
        seen.push(message);
        if (is(message)) return seen;
      }
    };
    return { ...remote, next, until };
  };
"""
SMALL = {"depth": 2, "width": 4, "points": 40, "networks": [{"activation": "relu"}, {"activation": "prelu"}]}


@pytest.fixture(scope="module")
def engine():
    with engine_page() as engine:
        yield engine


def listening(engine, body, settings=SMALL):
    """The result of the body of an asynchronous function of `settings`, which may `listen(settings)`."""
    return engine(f"async settings => {{ {LISTENING} {body} }}", settings)


def test_it_plays_to_a_step_and_ends_with_what_a_session_gives(engine):
    looks, same = listening(
        engine,
        """const remote = listen(settings);
        remote.pace(1000);
        remote.play(30);
        const looks = await remote.until(look => look.step === 30 && !look.playing);
        remote.close();
        const session = lesson.session(settings);
        session.advance(30);
        return [looks, session.look()];""",
    )
    steps = [look["step"] for look in looks]
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert [look["playing"] for look in looks[:1] + looks[-1:]] == [False, False]
    assert looks[-1]["networks"] == same["networks"]


def test_pause_and_step_are_obeyed_between_slices(engine):
    paused, later, looks = listening(
        engine,
        """const remote = listen(settings);
        remote.pace(Infinity);
        remote.play();
        await remote.until(look => look.step > 0);
        remote.pause();
        const paused = (await remote.until(look => !look.playing)).at(-1);
        const later = [];
        for (const count of [1, 5]) {
          remote.step(count);
          later.push(await remote.next());
        }
        remote.play(paused.step + 9);
        const looks = await remote.until(look => !look.playing);
        remote.close();
        return [paused, later, looks];""",
    )
    assert [look["step"] - paused["step"] for look in later] == [1, 6]
    assert looks[-1]["step"] == paused["step"] + 9


def test_it_keeps_the_pace_and_looks_at_most_twenty_times_a_second(engine):
    paced, looks, seconds = listening(
        engine,
        """const remote = listen(settings);
        await remote.next();
        const start = performance.now();
        remote.pace(100);
        remote.play(60);
        const looks = await remote.until(look => look.step === 60 && !look.playing);
        const paced = (performance.now() - start) / 1000;
        remote.pace(Infinity);
        remote.play(6000);
        looks.push(...await remote.until(look => !look.playing));
        remote.close();
        return [paced, looks.length, (performance.now() - start) / 1000];""",
    )
    assert paced >= 0.59  # 60 steps at 100 a second; slower on a busy machine
    assert looks <= 20 * seconds + 4  # and one at the end of each play


def test_the_page_goes_on_while_the_worker_trains(engine):
    order = listening(
        engine,
        """const remote = listen({ ...settings, depth: 30, width: 32 });
        await remote.next();
        const order = [];
        remote.step(300);
        const trained = remote.next().then(look => order.push(look.step));
        for (let turn = 0; turn < 3; turn++) await new Promise(done => setTimeout(() => done(order.push("page"))));
        await trained;
        remote.close();
        return order;""",
    )
    assert order == ["page", "page", "page", 300]


def test_a_reset_ends_the_play_and_nothing_of_before_is_heard_later(engine):
    looks = listening(
        engine,
        """const remote = listen(settings);
        remote.play();
        await remote.until(look => look.step > 0);
        remote.reset({ ...settings, depth: 3 });
        const looks = [await remote.next()];
        remote.step(2);
        looks.push(await remote.next());
        remote.close();
        return looks;""",
    )
    assert [(look["step"], look["playing"]) for look in looks] == [(0, False), (2, False)]
    assert [len(look["networks"][0]["dead"]) for look in looks] == [3, 3]


def test_refused_settings_are_reported_and_do_not_end_the_worker(engine):
    messages = listening(
        engine,
        """const remote = listen({ ...settings, depth: 99 });
        const messages = [await remote.next()];
        remote.play();
        remote.reset(settings);
        messages.push(await remote.next());
        remote.close();
        return messages;""",
    )
    assert messages[0] == {"error": "depth=99: choose a whole number from 1 to 30"}
    assert messages[1]["step"] == 0


def test_it_stops_by_itself_where_every_network_has_diverged(engine):
    last = listening(
        engine,
        """const remote = listen(settings);
        remote.pace(Infinity);
        remote.play();
        const looks = await remote.until(look => !look.playing && look.step > 0);
        remote.close();
        return looks.at(-1);""",
        {**SMALL, "optimizer": "sgd", "networks": [{"activation": "identity", "rate": 1e6}] * 2},
    )
    assert [network["diverged"] for network in last["networks"]] == [True, True]
