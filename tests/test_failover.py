"""A call whose tunnel dies in mid-sentence, and which goes on through the next one."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest

from tests.conftest import TO, ServedSandbox, start, wait_for_line
from tests.heard import around

LINES = [f"This is the {name} sentence." for name in ("first", "second", "third", "next", "last")]


def break_the_tunnel(served: ServedSandbox, how: str) -> None:
    (tunnel,) = [t for t in served.sandbox.tunnels.listed() if t["state"] == "open"]
    url = f"{served.sandbox.url}/__sandbox/tunnels/{tunnel['id']}/{how}"
    httpx.post(url, trust_env=False).raise_for_status()


def test_a_call_goes_on_through_the_next_tunnel_at_the_first_unheard_sentence(home: Path) -> None:
    roads = ("--tunnel", "sandbox", "--tunnel", "sandbox", "--reconnect", "60s")
    with ServedSandbox(speed=2, deterministic=True) as served:
        call = ("call", "--to", TO, " ".join(LINES), "--json", "--save-heard", "heard.wav")
        with start(home, *call, *roads, **served.environ) as process:
            assert process.stdout is not None
            wait_for_line(process.stdout, '"heard"')
            served.run_at(0.25)
            break_the_tunnel(served, "die")
            told_first = wait_for_line(process.stdout, '"resumed"')
            served.run_at(20)
            later = [msgspec.json.decode(line) for line in (*told_first, *process.stdout)]
        assert process.returncode == 0
        spoken = [speech.audio for speech in served.sandbox.store.speeches()]
    report, told = later[-1], [event.get("event") for event in later]
    assert told.index("lost") < told.index("connected") < told.index("resumed")
    assert report["reconnects"] == 1
    assert report["last_word_heard"]
    assert report["heard_text"] == " ".join(LINES)
    # Nothing is synthesised twice, and all that was not heard is heard after all.
    assert len(spoken) == len(LINES)
    around((home / "heard.wav").read_bytes(), spoken[-3:])


@pytest.mark.parametrize(
    ("roads", "grace", "reason"),
    [
        (("--tunnel", "sandbox"), "10s", "stream-error"),
        (("--tunnel", "sandbox", "--tunnel", "sandbox"), "0s", "stream-error"),
    ],
    ids=["no other tunnel", "no wish to go on"],
)
def test_a_lost_tunnel_without_another_cuts_the_call_short_and_leaves_none_live(
    home: Path, roads: tuple[str, ...], grace: str, reason: str
) -> None:
    with ServedSandbox(speed=2) as served:
        call = ("call", "--to", TO, " ".join(LINES), "--json", "--reconnect", grace, *roads)
        with start(home, *call, **served.environ) as process:
            assert process.stdout is not None
            wait_for_line(process.stdout, "first-frame")
            served.run_at(0.25)
            break_the_tunnel(served, "die")
            served.run_at(20)
            last = msgspec.json.decode(list(process.stdout)[-1])
            assert process.stderr is not None
            error = msgspec.json.decode(process.stderr.read())["error"]
        assert (process.returncode, last["event"]) == (24, "error")
        assert error["details"]["end_reason"] == reason
        assert not error["details"]["last_word_heard"]
        served.finish()
        assert served.ended()
