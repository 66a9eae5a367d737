"""TwiML as it is performed: verb after verb, until the document or the call is over.

https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from urllib.parse import urljoin

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox import twiml, verbs
from asyncflow_cli.sandbox.clip import sound_of
from asyncflow_cli.sandbox.clock import TICK
from asyncflow_cli.sandbox.engine import EngineMissing
from asyncflow_cli.sandbox.stage import Stage
from asyncflow_cli.sandbox.streams import Streams
from asyncflow_cli.sandbox.tones import keys, silence

CONTENT_TYPE = "12300"
"""https://www.twilio.com/docs/api/errors/12300"""

_MARKUP = ("text/xml", "application/xml", "text/html")
"""What Twilio reads as TwiML: https://www.twilio.com/docs/voice/twiml#response-formats"""

_SECONDS_A_CHARACTER = 0.06
_UNREADABLE_CLIP = 2.0
"""Seconds a clip lasts that the sandbox cannot play."""


@dataclass(frozen=True, slots=True)
class Inline:
    """TwiML that came with the call itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """TwiML to ask a web server for."""

    url: str
    method: str = "POST"
    fields: Mapping[str, str] = field(default_factory=dict)
    fallback: Fetch | None = None


Source: TypeAlias = Inline | Fetch


class Program:
    """Performs documents, one leading to the next."""

    def __init__(self, stage: Stage) -> None:
        self.streams = Streams(stage)
        self._stage = stage

    async def run(self, source: Source) -> None:
        """Perform `source` and all that follows. CalleeHungUp if so."""
        following: Source | None = source
        while following is not None:
            document = await self._load(following)
            base = following.url if isinstance(following, Fetch) else None
            following = await self._perform_all(document.verbs, base)

    async def _load(self, source: Source) -> twiml.Document:
        """The document, or its fallback's. A call that has neither hears nothing and ends."""
        try:
            document = await self._read(source)
        except RemoteProtocolError as error:
            url = source.url if isinstance(source, Fetch) else ""
            self._stage.notify(error.code, error.message, url)
            if isinstance(source, Fetch) and source.fallback is not None:
                why = {"ErrorCode": error.code, "ErrorUrl": url}
                return await self._load(replace(source.fallback, fields=why))
            return twiml.Document(())
        for warning in document.warnings:
            self._stage.notify(warning.code, warning.text, "")
        return document

    async def _read(self, source: Source) -> twiml.Document:
        if isinstance(source, Inline):
            return twiml.parse(source.text, self._stage.blocked_verbs)
        fields = {**self._stage.fields(), **source.fields}
        answer = await self._stage.web.request(source.method, source.url, fields)
        kind = answer.content_type.partition(";")[0].strip().lower()
        if kind == "text/plain":
            return twiml.Document((verbs.Say(answer.text.strip()),))
        if kind.startswith("audio/"):
            return twiml.Document((verbs.Play(source.url, clip=answer.body),))
        if kind not in _MARKUP:
            text = f"{source.url} answered with {kind or 'no content type'}, not text/xml"
            raise RemoteProtocolError(text, code=CONTENT_TYPE)
        return twiml.parse(answer.text, self._stage.blocked_verbs)

    async def _perform_all(self, todo: tuple[verbs.Verb, ...], base: str | None) -> Source | None:
        for verb in todo:
            if isinstance(verb, verbs.Hangup | verbs.Reject):
                return None
            following = await self._perform(verb, base)
            if following is not None:
                return following
        return None

    async def _perform(self, verb: verbs.Verb, base: str | None) -> Source | None:
        match verb:
            case verbs.Connect(stream):
                await self.streams.connect(stream, base)
            case verbs.Start(stream):
                await self.streams.start(stream, base)
            case verbs.Stop(name):
                await self.streams.stop(name)
            case verbs.Redirect(url, method):
                return Fetch(urljoin(base or "", url), method)
            case verbs.Gather():
                return await self._gather(verb, base)
            case verbs.Say() | verbs.Play() | verbs.Pause():
                await self._sound(verb, base)
        return None

    async def _sound(self, verb: verbs.Say | verbs.Play | verbs.Pause, base: str | None) -> None:
        leg = self._stage.leg
        if isinstance(verb, verbs.Pause):
            return await leg.wait(verb.length)
        speak = self._said(verb) if isinstance(verb, verbs.Say) else self._clip(verb, base)
        audio = await speak
        times = verb.loop
        # loop="0" means for ever: until somebody hangs up, or the call's time is over.
        while audio and (times > 0 or verb.loop == 0):
            await leg.play(audio)
            times -= 1

    async def _said(self, verb: verbs.Say) -> bytes:
        if self._stage.say is not None:
            return await self._stage.say(verb.text, verb.language)
        return silence(_SECONDS_A_CHARACTER * len(verb.text))

    async def _clip(self, verb: verbs.Play, base: str | None) -> bytes:
        if verb.digits is not None:
            return keys(verb.digits)
        clip = verb.clip
        if clip is None:
            clip = await self._fetch(urljoin(base or "", verb.url))
        if clip is None:
            return b""
        try:
            return await asyncio.to_thread(sound_of, clip) or silence(_UNREADABLE_CLIP)
        except EngineMissing:
            return silence(_UNREADABLE_CLIP)

    async def _fetch(self, url: str) -> bytes | None:
        try:
            return (await self._stage.web.request("GET", url, {})).body
        except RemoteProtocolError as error:
            self._stage.notify(error.code, error.message, url)
            return None

    async def _gather(self, verb: verbs.Gather, base: str | None) -> Source | None:
        digits = await self._collect(verb, base)
        if not digits and not verb.action_on_empty:
            return None
        return Fetch(urljoin(base or "", verb.action), verb.method, {"Digits": digits})

    async def _collect(self, verb: verbs.Gather, base: str | None) -> str:
        """The keys pressed while the nested verbs play, and then until time or key ends it."""
        leg = self._stage.leg
        first = len(leg.pressed)
        for nested in verb.verbs:
            await self._sound(nested, base)
        quiet = 0
        before = first

        def finished() -> bool:
            nonlocal quiet, before
            quiet = 0 if len(leg.pressed) > before else quiet + 1
            before = len(leg.pressed)
            return quiet * TICK > verb.timeout or _complete(verb, leg.pressed[first:])

        await leg.run(until=finished)
        digits = leg.pressed[first:]
        if verb.finish_on_key and verb.finish_on_key in digits:
            digits = digits.partition(verb.finish_on_key)[0]
        return digits[: verb.num_digits]


def _complete(verb: verbs.Gather, digits: str) -> bool:
    ended = bool(verb.finish_on_key) and verb.finish_on_key in digits
    return ended or (verb.num_digits is not None and len(digits) >= verb.num_digits)
