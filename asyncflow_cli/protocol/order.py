"""What a call is asked to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.frames import payloads
from asyncflow_cli.protocol.plan import PLAIN, Deadlines, Manners
from asyncflow_cli.protocol.script import Script, sentences
from asyncflow_cli.quoted import quoted

KEYS = "0123456789*#"


@dataclass(frozen=True, kw_only=True)
class CallOrder:
    """What to say to whom. Numbers are E.164, times seconds."""

    to: str
    from_: str
    text: str | None
    """None where it is still being written, on stdin, or where there is a file to play."""
    audio: bytes | None = None
    """μ-law, 8 kHz, to be played in place of a text."""
    manners: Manners = PLAIN
    language: str | None = None
    plain_text: bool = False
    """What looks like mark-up in a text still being written is none."""
    flush_after: float | None = None
    """Without new text for so long, what was written so far is spoken."""
    max_silence: float | None = None
    """How long the line may be silent while text is awaited."""
    ring_timeout: int = 30
    max_duration: int = 120
    """Of talk, held by Twilio and by us."""
    caller_id: str | None = None
    """What the callee's display shows in place of `from_`."""
    send_digits: str | None = None
    """Keys that Twilio presses once somebody answers."""
    record: bool = False
    force: bool = False
    """Call although the account is not allowed to stream."""
    public_url: str | None = None
    """An address that leads to `port`, in place of a tunnel."""
    port: int = 0
    tunnels: tuple[str, ...] = ()
    """Ways to a public address by name, in the order to try them; empty is every one there is."""
    reconnect: float = 10.0
    """How long a call whose socket was lost is kept up for another; 0 is not at all."""

    @property
    def is_live(self) -> bool:
        """Whether text is written while the call lasts."""
        return self.manners.keep_open or (self.text is None and self.audio is None)

    @property
    def sentences(self) -> list[str]:
        """Those of a text that is there beforehand."""
        return sentences(self.text or "")

    def script(self) -> Script:
        """What there is to say beforehand."""
        keep = self.manners.keeps_audio
        script = Script(self.sentences, more=self.is_live, keep=keep)
        if self.audio is not None:
            script.add_audio(payloads(self.audio))
        return script

    def deadlines(self) -> Deadlines:
        return Deadlines(
            ring=float(self.ring_timeout),
            total=float(self.max_duration),
            writer=None if self.manners.keep_open else self.max_silence,
        )


def is_e164(number: str) -> bool:
    """Up to 15 digits; behind North America's +1 exactly ten.

    https://www.itu.int/rec/T-REC-E.164, https://www.nanpa.com
    """
    return bool(re.fullmatch(r"\+(1\d{10}|[2-9]\d{1,14})", number, re.ASCII))


def phone_number(text: str, role: str) -> str:
    """E.164: spaces, dots, dashes and brackets are stripped, a leading 00 is a +.

    A number without its country code is refused, not guessed.
    """
    number = re.sub(r"[\s().\-]", "", text)
    number = re.sub(r"^00", "+", number)
    if is_e164(number):
        return number
    raise UsageError(
        f"{quoted(text)} is no phone number to use as the {role}",
        hint=f"{_amiss(number)} it as +15551230001",
        code="BAD_PHONE_NUMBER",
    )


def _amiss(number: str) -> str:
    if re.fullmatch(r"\d+", number, re.ASCII):
        return "The country code is missing: write"
    if behind := re.fullmatch(r"\+1(\d+)", number, re.ASCII):
        return f"Behind +1 stand ten digits, and here {len(behind[1])}: write"
    return "Write"


def key(text: str | None, option: str) -> str | None:
    """One key of a telephone."""
    if text is None or (len(text) == 1 and text in KEYS):
        return text
    raise UsageError(f"{option} takes one key of 0-9, * and #, not {quoted(text)}")


def send_digits(text: str | None) -> str | None:
    """https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource"""
    if text is None or re.fullmatch(r"[0-9A-D#*wW]{1,32}", text):
        return text
    raise UsageError(
        f"--send-digits takes up to 32 of 0-9, A-D, #, *, w and W, not {quoted(text)}",
        hint="w waits half a second, W a whole one",
    )
