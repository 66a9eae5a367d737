"""The real engine in its real child: what it says, when, and what becomes of it when it dies."""

from __future__ import annotations

import array
import asyncio
import math
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from asyncflow_cli.sandbox.engine import (
    SAMPLE_RATE,
    Engine,
    EngineCrashed,
    EngineMissing,
    Samples,
    Word,
    Words,
)
from asyncflow_cli.sandbox.enginemain import LIBRARIES
from asyncflow_cli.sandbox.engineprocess import Lost, Talk
from asyncflow_cli.sandbox.enginevoice import EngineVoice
from asyncflow_cli.sandbox.pipe import Pcm
from asyncflow_cli.sandbox.voices import LIBRARY

T = TypeVar("T")

Speech = tuple[bytes, tuple[Word, ...]]
Said = Callable[..., Speech]

ADAM = LIBRARY[0].sound
JENNIE = LIBRARY[1].sound
LONG = "The quick brown fox jumps over the lazy dog. " * 200


async def say(
    engine: Engine,
    text: str,
    voice: EngineVoice = ADAM,
    *,
    language: str | None = None,
    speed: float = 1.0,
) -> Speech:
    pieces, words = list[bytes](), None
    async for spoken in engine.speak(text, voice, language=language, speed=speed):
        assert words is None, "words come last"
        if isinstance(spoken, Samples):
            pieces.append(spoken.pcm)
        else:
            words = spoken.words
    assert words is not None
    return b"".join(pieces), words


def with_engine(story: Callable[[Engine], Awaitable[T]], *libraries: str) -> T:
    async def run() -> T:
        async with Engine(*libraries) as engine:
            return await story(engine)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def said() -> Iterator[Said]:
    """What one engine says to all who do nothing else with it."""
    with asyncio.Runner() as runner:
        engine = Engine()

        def said(text: str, voice: EngineVoice = ADAM, *, language: str | None = None) -> Speech:
            return runner.run(say(engine, text, voice, language=language))

        yield said
        runner.run(engine.aclose())


def seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / SAMPLE_RATE


def rms(pcm: bytes) -> float:
    samples = array.array("h", pcm)
    return math.sqrt(sum(s * s for s in samples) / len(samples)) / 32768


def piece(pcm: bytes, start: float, end: float) -> bytes:
    return pcm[2 * round(start * SAMPLE_RATE) : 2 * round(end * SAMPLE_RATE)]


# --- speech --------------------------------------------------------------------------------


def test_a_sentence_takes_the_time_a_person_takes(said: Said) -> None:
    text = "The quick brown fox jumps over the lazy dog."
    pcm, words = said(text)
    assert 2.5 < seconds(pcm) < 4.5
    assert [word.text for word in words] == text.split()


def test_every_word_is_heard_where_its_times_say(said: Said) -> None:
    pcm, words = said("One, two, three. Four!")
    for word in words:
        assert rms(piece(pcm, word.start, word.end)) > 0.02, word
    for before, after in pairwise(words):
        assert after.start - before.end > 0.1
        assert rms(piece(pcm, before.end + 0.05, after.start - 0.02)) < 0.002


def test_the_same_text_is_the_same_bytes_every_time(said: Said) -> None:
    async def story(engine: Engine) -> None:
        first = await say(engine, "Same again, please.")
        assert await say(engine, "Same again, please.") == first
        await say(engine, "Something else altogether!", JENNIE, language="fr", speed=1.4)
        assert await say(engine, "Same again, please.") == first
        assert said_by_another == first

    said_by_another = said("Same again, please.")
    with_engine(story)


def test_samples_come_long_before_the_last_one_is_made() -> None:
    async def story(engine: Engine) -> None:
        pieces = [s.pcm async for s in engine.speak(LONG[:450], ADAM) if isinstance(s, Samples)]
        assert len(pieces) > 100
        assert seconds(pieces[0]) < 0.1

    with_engine(story)


def test_speed_changes_the_duration_and_not_the_words() -> None:
    async def story(engine: Engine) -> None:
        text = "This sentence is spoken three times."
        slow, normal, fast = [await say(engine, text, speed=speed) for speed in (0.7, 1.0, 2.0)]
        assert seconds(slow[0]) > 1.25 * seconds(normal[0]) > 1.5 * seconds(fast[0])
        assert [w.text for w in slow[1]] == [w.text for w in fast[1]] == text.split()

    with_engine(story)


def test_a_sentence_is_followed_by_a_breath_and_an_unfinished_one_is_not(said: Said) -> None:
    finished, words = said("This is all.")
    assert seconds(finished) - words[-1].end > 0.25
    unfinished, words = said("This is all")
    assert seconds(unfinished) - words[-1].end < 0.05


@pytest.mark.parametrize("text", ["", "  \n", "<digits> - </digits>", "<phonemes></phonemes>"])
def test_nothing_to_say_is_no_sound(said: Said, text: str) -> None:
    assert said(text) == (b"", ())


def test_characters_that_would_end_the_string_are_spaces(said: Said) -> None:
    _, words = said("one\0two \udc80 three")
    assert [(word.offset, word.length) for word in words] == [(0, 3), (4, 3), (10, 5)]


# --- markup --------------------------------------------------------------------------------


def test_a_break_is_exact_silence(said: Said) -> None:
    pcm, words = said("Left<break time='777ms'/>right")
    left, right = words
    alone = said("Left")[0]
    assert seconds(pcm) == pytest.approx(
        seconds(alone) + 0.777 + seconds(said("right")[0]), abs=1 / SAMPLE_RATE
    )
    silence = piece(pcm, seconds(alone), seconds(alone) + 0.777)
    assert set(silence) == {0}
    assert right.start - left.end >= 0.777


def test_a_break_has_an_end(said: Said) -> None:
    assert seconds(said("<break time='99999s'/>")[0]) == 10.0


def test_digits_are_read_one_by_one(said: Said) -> None:
    _, words = said("PIN <digits>12-34</digits> ok")
    assert [word.text for word in words] == ["PIN", "1", "2", "3", "4", "ok"]
    assert [word.offset for word in words] == [0, 12, 13, 15, 16, 27]
    assert words[3].start - words[2].end > 0.1, "a dash is a short pause"
    assert seconds(said("<digits>1234</digits>")[0]) < seconds(said("1234")[0])


def test_digits_are_read_in_the_language_spoken(said: Said) -> None:
    assert said("<digits>7</digits>", language="de")[0] == said("7 ", language="de")[0]


def test_mnemonics_are_one_word_that_sounds_like_it(said: Said) -> None:
    pcm, words = said("<phonemes>h@l'oU</phonemes>")
    assert [(word.text, word.offset) for word in words] == [("h@l'oU", 10)]
    assert seconds(pcm) == pytest.approx(seconds(said("hello")[0]), abs=0.05)


def test_phonemes_in_another_alphabet_are_read_as_text(said: Said) -> None:
    pcm, words = said("<phonemes>həˈloʊ</phonemes>")
    assert [word.text for word in words] == ["həˈloʊ"]
    assert rms(pcm) > 0.02


def test_other_angles_are_text(said: Said) -> None:
    _, words = said("2 < 3 <break/>")
    assert " ".join(word.text for word in words) == "2 < 3 <break/>"


# --- words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "en",
            "In front of the house, it cost $12.50. Really? Yes, e-mail me@x.org: 100 % (sure)!",
        ),
        (
            "en",
            "Dr. Smith paid 1,234.56 on 2024-01-02 at 12:30 p.m. — that's the end of the story.",
        ),
        ("fr", "« Bonjour », l'ami ! Ça va ? C'est 12,50 € et 1 234 567 personnes."),
        ("de", "Straße Nr. 5: Äpfel für 3,20 €. Und dann?"),
        ("es", "¿Qué tal? ¡Muy bien! El 2º día de 2024."),
        ("it", "Perché no? L'amico è già qui."),
        ("pt", "Não sei. Custa R$ 10,00."),
        ("ru", "Привет, мир! Это стоит 100 рублей."),
        ("tr", "Merhaba dünya, bugün 3 kişi var."),
        ("hi", "नमस्ते दुनिया। आज १२ तारीख है।"),
        ("ar", "مرحبا بالعالم، كيف حالك؟"),
        ("he", "שלום עולם, מה נשמע?"),
        ("ja", "こんにちは世界、おげんきですか。"),
        ("zh", "你好世界。我们很好，谢谢 2024 年。"),
        ("en", "😀 A smile<break time='300ms'/>and <digits>5 5 5</digits>, 世界 too."),
    ],
)
def test_word_times_rise_inside_the_audio(said: Said, language: str, text: str) -> None:
    pcm, words = said(text, language=language)
    assert len(words) >= 4
    clock = 0.0
    for word in words:
        assert clock <= word.start < word.end <= seconds(pcm)
        assert text[word.offset : word.offset + word.length] == word.text
        clock = word.end
    assert words[-1].end > 0.8 * seconds(pcm) - 0.35


def test_a_long_text_does_not_lose_count(said: Said) -> None:
    text = ("In front of the house, it cost $12.50. Really? " * 100).strip()
    _, words = said(text)
    assert [word.text for word in words] == text.split()


# --- many callers --------------------------------------------------------------------------


def test_callers_at_the_same_time_hear_what_each_asked_for() -> None:
    async def story(engine: Engine) -> None:
        texts = [f"Caller number {n}." for n in range(8)]
        alone = [await say(engine, text) for text in texts]
        together = await asyncio.gather(*(say(engine, text) for text in texts))
        assert together == alone

    with_engine(story)


def test_a_slow_listener_keeps_nobody_waiting() -> None:
    async def story(engine: Engine) -> None:
        async with aclosing(engine.speak(LONG[:900], ADAM)) as slow:
            await anext(slow)
            await say(engine, "Excuse me.")
            rest = [spoken async for spoken in slow]
        assert isinstance(rest[-1], Words)
        assert len(rest[-1].words) == len(LONG[:900].split())

    with_engine(story)


def test_closing_a_speech_half_way_stops_it() -> None:
    async def story(engine: Engine) -> None:
        expected = await say(engine, "Next, please.")
        pid = engine.pid
        async with aclosing(engine.speak(LONG * 100, ADAM)) as speech:
            await anext(speech)
        async with asyncio.timeout(30):  # To speak it to its end takes minutes.
            assert await say(engine, "Next, please.") == expected
        assert engine.pid == pid

    with_engine(story)


def test_a_cancelled_task_leaves_the_engine_usable() -> None:
    async def story(engine: Engine) -> None:
        expected = await say(engine, "Next, please.")
        pid = engine.pid
        heard = asyncio.Event()

        async def listen() -> None:
            async for _ in engine.speak(LONG, ADAM):
                heard.set()

        listening = asyncio.create_task(listen())
        await heard.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        assert await say(engine, "Next, please.") == expected
        assert engine.pid == pid

    with_engine(story)


# --- death ---------------------------------------------------------------------------------


def kill(engine: Engine) -> None:
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)


def test_the_text_that_killed_the_engine_fails_and_the_next_is_spoken() -> None:
    async def story(engine: Engine) -> None:
        expected = await say(engine, "Still here.")
        pid = engine.pid
        async with aclosing(engine.speak(LONG, ADAM)) as speech:
            await anext(speech)
            kill(engine)
            with pytest.raises(EngineCrashed):
                async for _ in speech:
                    pass
        assert await say(engine, "Still here.") == expected
        assert engine.pid != pid

    with_engine(story)


def test_a_text_that_was_only_waiting_is_spoken_by_the_next_engine() -> None:
    async def story(engine: Engine) -> None:
        expected = await say(engine, "Innocent.")
        async with aclosing(engine.speak(LONG, ADAM)) as speech:
            await anext(speech)
            waiting = [asyncio.create_task(say(engine, "Innocent.")) for _ in range(3)]
            await asyncio.sleep(0)
            kill(engine)
            with pytest.raises(EngineCrashed):
                async for _ in speech:
                    pass
        assert await asyncio.gather(*waiting) == [expected] * 3

    with_engine(story)


class Busy:
    """A child that speaks the texts of others, and ours after it was looked at so often."""

    def __init__(self, talk: Talk, looks: int) -> None:
        self._talk = talk
        self._looks = looks

    @property
    def silent_for(self) -> float:
        self._looks -= 1
        if not self._looks:
            self._talk.answers.put_nowait(Pcm(1, b"\0\0"))
        return 0.0

    def kill(self) -> None:
        raise AssertionError("it is not stuck")


def test_an_engine_that_speaks_for_others_is_not_taken_for_stuck(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("asyncflow_cli.sandbox.engine.PATIENCE", 0.001)

    async def story(engine: Engine) -> None:
        talk = Talk()
        child: Any = Busy(talk, looks=3)
        assert isinstance(await engine._answer(child, talk), Pcm)

    with_engine(story)


class Stuck:
    """A child that says nothing to anybody."""

    silent_for = 1.0

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def kill(self) -> None:
        self._talk.answers.put_nowait(Lost(guilty=True))


def test_an_engine_that_says_nothing_to_anybody_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncflow_cli.sandbox.engine.PATIENCE", 0.001)

    async def story(engine: Engine) -> None:
        talk = Talk()
        child: Any = Stuck(talk)
        assert isinstance(await engine._answer(child, talk), Lost)

    with_engine(story)


def test_an_engine_killed_while_idle_blames_nobody() -> None:
    async def story(engine: Engine) -> None:
        expected = await say(engine, "Nobody's fault.")
        kill(engine)
        assert await say(engine, "Nobody's fault.") == expected

    with_engine(story)


def test_a_voice_the_engine_does_not_have_is_refused_and_the_next_is_heard() -> None:
    async def story(engine: Engine) -> None:
        with pytest.raises(EngineCrashed, match="no voice"):
            await say(engine, "Hello.", EngineVoice(identifier="gmw/xx", variant="f2"))
        assert (await say(engine, "Hello."))[0]

    with_engine(story)


def test_the_child_ends_with_its_input() -> None:
    async def story(engine: Engine) -> int:
        await say(engine, "Goodbye.")
        assert engine.pid is not None
        return engine.pid

    pid = with_engine(story)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_closing_ends_a_child_that_is_speaking() -> None:
    async def story(engine: Engine) -> None:
        async with aclosing(engine.speak(LONG, ADAM)) as speech:
            await anext(speech)
            await engine.aclose()
            assert engine.pid is None
            with pytest.raises(EngineCrashed):
                async for _ in speech:
                    pass

    with_engine(story)


def test_the_child_is_out_of_reach_of_ctrl_c() -> None:
    async def story(engine: Engine) -> None:
        await engine.start()
        assert engine.pid is not None
        assert os.getsid(engine.pid) != os.getsid(0)

    with_engine(story)


# --- which library answers -----------------------------------------------------------------


def test_the_wheel_answers_first() -> None:
    state = with_engine(lambda engine: engine.start())
    assert state.engine is not None
    assert state.engine.startswith("espeak-ng 1.")
    assert state.library is not None
    assert state.library.endswith((".so", ".dylib", ".dll"))
    assert state.refusals == ()


def test_no_engine_is_said_with_the_line_that_installs_one() -> None:
    async def story(engine: Engine) -> None:
        with pytest.raises(EngineMissing) as caught:
            await say(engine, "Hello.")
        assert caught.value.hint == "pip install 'asyncflow-cli[sandbox]'"
        assert "nosuch: not a library the sandbox knows" in caught.value.message
        assert caught.value.exit_code == 10
        assert engine.state is not None
        assert engine.state.engine is None

    with_engine(story, "nosuch")


def test_those_who_did_not_answer_say_why() -> None:
    state = with_engine(lambda engine: engine.start(), "nosuch", "wheel")
    assert state.engine is not None
    assert state.refusals == ("nosuch: not a library the sandbox knows",)


def is_there(name: str) -> bool:
    try:
        LIBRARIES[name]()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not is_there("flite"), reason="libflite is not installed")
def test_flite_stands_in_for_english_and_for_nothing_else() -> None:
    async def story(engine: Engine) -> None:
        pcm, words = await say(engine, "In front of the house, it cost twelve. Really?", JENNIE)
        assert 2 < seconds(pcm) < 5
        assert rms(pcm) > 0.02
        assert len(words) == 9
        for before, after in pairwise(words):
            assert before.start < before.end <= after.start < seconds(pcm)
        assert (await say(engine, "Hello."))[0] != (await say(engine, "Hello.", JENNIE))[0]
        assert await say(engine, "Hello.") == await say(engine, "Hello.")
        with pytest.raises(EngineMissing, match="English only"):
            await say(engine, "Bonjour.", language="fr")

    with_engine(story, "flite")
