"""TwiML as verbs: what the sandbox reads out of a document, and what it refuses.

https://www.twilio.com/docs/voice/twiml

Names are case-sensitive. What is not understood is skipped with Twilio's warning 12200; what
is no document at all raises RemoteProtocolError with Twilio's code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.verbs import (
    Connect,
    Gather,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Start,
    Stop,
    Stream,
    Verb,
)

MAX_BYTES = 64 * 1024
"""https://www.twilio.com/docs/api/errors/11750"""

TOO_LARGE, PARSE_FAILURE, SCHEMA = "11750", "12100", "12200"

NOT_ON_TRIAL = "10002"
"""https://www.twilio.com/docs/api/errors/10002"""


@dataclass(frozen=True, slots=True)
class Warned:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    verbs: tuple[Verb, ...]
    warnings: tuple[Warned, ...] = ()


def parse(text: str, blocked: Collection[str] = ()) -> Document:
    """The verbs of a document, in order, and what was wrong with the rest of it.

    In place of those that are `blocked` the callee hears that they are.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise RemoteProtocolError(f"The TwiML is larger than {MAX_BYTES} bytes", code=TOO_LARGE)
    root = _element(text)
    if root.tag != "Response":
        raise RemoteProtocolError(f"The root is <{root.tag}>, not <Response>", code=PARSE_FAILURE)
    reader = _Reader(blocked)
    verbs = reader.verbs(root)
    return Document(tuple(verbs), tuple(reader.warnings))


def _element(text: str) -> Element:
    """The XML, without the doctypes in which entities could be defined that grow without end."""

    def refuse(*_: object) -> None:
        raise RemoteProtocolError("A DOCTYPE has no place in TwiML", code=PARSE_FAILURE)

    builder = TreeBuilder()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise RemoteProtocolError(f"Not XML: {error}", code=PARSE_FAILURE) from None
    return builder.close()


class _Reader:
    """Reads elements, and collects a warning for each thing it does not know."""

    def __init__(self, blocked: Collection[str]) -> None:
        self.warnings: list[Warned] = []
        self._blocked = blocked
        self._verbs: dict[str, Callable[[Element], Verb | None]] = {
            "Connect": self._connect,
            "Start": self._start,
            "Stop": self._stop,
            "Say": self._say,
            "Play": self._play,
            "Pause": lambda element: Pause(self._number(element, "length", 1.0)),
            "Redirect": lambda element: Redirect(_text(element), _method(element, "method")),
            "Hangup": lambda _: Hangup(),
            "Reject": lambda element: Reject(element.get("reason", "rejected")),
            "Gather": self._gather,
        }

    def verbs(self, parent: Element) -> list[Verb]:
        found: list[Verb] = []
        for element in parent:
            if name := self._blocked_in(element):
                found.append(self._refuse(name))
                continue
            read = self._verbs.get(element.tag)
            if read is None:
                self._warn(f"<{element.tag}> is no verb the sandbox knows, and was skipped")
                continue
            self._check_attributes(element)
            verb = read(element)
            if verb is not None:
                found.append(verb)
        return found

    def _blocked_in(self, element: Element) -> str | None:
        """The verb that the account may not use, or the noun in it."""
        nouns = [noun.tag for noun in element] if element.tag in ("Connect", "Start") else []
        return next((tag for tag in (element.tag, *nouns) if tag in self._blocked), None)

    def _refuse(self, name: str) -> Say:
        # https://www.twilio.com/docs/usage/trials/try-out-voice
        text = f"The {name} verb is not available on trial accounts."
        self.warnings.append(Warned(NOT_ON_TRIAL, text))
        return Say(text)

    def _connect(self, element: Element) -> Connect | None:
        stream = self._stream(element)
        return None if stream is None else Connect(stream)

    def _start(self, element: Element) -> Start | None:
        stream = self._stream(element)
        return None if stream is None else Start(stream)

    def _stop(self, element: Element) -> Stop | None:
        noun = self._noun(element, "Stream")
        return None if noun is None else Stop(noun.get("name", ""))

    def _stream(self, element: Element) -> Stream | None:
        noun = self._noun(element, "Stream")
        if noun is None:
            return None
        self._check_attributes(noun)
        url, question, _ = noun.get("url", "").partition("?")
        if question:
            # https://www.twilio.com/docs/voice/twiml/stream: the url takes no query string.
            self._warn("The query string of a <Stream> url was dropped: use <Parameter>")
        return Stream(
            url=url,
            name=noun.get("name"),
            track=noun.get("track"),
            status_callback=noun.get("statusCallback"),
            status_callback_method=_method(noun, "statusCallbackMethod"),
            parameters=self._parameters(noun),
        )

    def _parameters(self, stream: Element) -> dict[str, str]:
        found: dict[str, str] = {}
        for child in stream:
            name, value = child.get("name", ""), child.get("value", "")
            if child.tag != "Parameter" or not name:
                self._warn(f"<{child.tag}> in a <Stream> is no <Parameter> with a name")
            elif len(name) + len(value) >= 500:
                self._warn(f"<Parameter> {name[:40]} is longer than 500 characters")
            else:
                found[name] = value
        return found

    def _say(self, element: Element) -> Say:
        loop = int(self._number(element, "loop", 1))
        return Say(_text(element), element.get("language"), loop)

    def _play(self, element: Element) -> Play:
        loop = int(self._number(element, "loop", 1))
        return Play(_text(element), self._digits(element), loop)

    def _digits(self, element: Element) -> str | None:
        written = element.get("digits")
        if written is None:
            return None
        digits = "".join(key for key in written if key in _KEYS)
        if digits != written:
            self._warn(f'digits="{written[:40]}" of <{element.tag}> are not all keys')
        return digits

    def _gather(self, element: Element) -> Gather:
        num_digits = self._number(element, "numDigits", 0)
        return Gather(
            verbs=tuple(
                verb for verb in self.verbs(element) if isinstance(verb, Say | Play | Pause)
            ),
            action=element.get("action", ""),
            method=_method(element, "method"),
            timeout=self._number(element, "timeout", 5.0),
            finish_on_key=element.get("finishOnKey", "#"),
            num_digits=int(num_digits) or None,
            action_on_empty=element.get("actionOnEmptyResult") == "true",
        )

    def _noun(self, element: Element, tag: str) -> Element | None:
        for child in element:
            if child.tag == tag:
                return child
            self._warn(f"<{child.tag}> in <{element.tag}> is not known here, and was skipped")
        self._warn(f"<{element.tag}> holds no <{tag}>, and was skipped")
        return None

    def _number(self, element: Element, name: str, default: float) -> float:
        written = element.get(name)
        if written is None:
            return default
        if written.isascii() and written.isdigit() and len(written) < 6:
            return float(written)
        if written != "auto":
            self._warn(f'{name}="{written[:40]}" of <{element.tag}> is not a whole number')
        return default

    def _check_attributes(self, element: Element) -> None:
        for name in set(element.keys()) - ATTRIBUTES.get(element.tag, frozenset()):
            self._warn(f"{name} is no attribute of <{element.tag}>, and was ignored")

    def _warn(self, text: str) -> None:
        self.warnings.append(Warned(SCHEMA, text))


_KEYS = frozenset("0123456789ABCD*#wW")
"""Keys, and the pauses between them."""


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


ATTRIBUTES = {
    "Stream": _words(
        "url name track statusCallback statusCallbackMethod connectorName audioFormat sampleRate"
    ),
    "Connect": _words("action method"),
    "Say": _words("voice language loop"),
    "Play": _words("loop digits"),
    "Pause": _words("length"),
    "Redirect": _words("method"),
    "Reject": _words("reason"),
    "Gather": _words(
        "input action method timeout finishOnKey numDigits actionOnEmptyResult language hints "
        "speechTimeout speechModel enhanced profanityFilter bargeIn partialResultCallback "
        "partialResultCallbackMethod maxSpeechTime"
    ),
}
"""What may stand in a tag; anything else is a misspelling, and warned of."""


def _text(element: Element) -> str:
    return "".join(element.itertext()).strip()


def _method(element: Element, name: str) -> str:
    return "GET" if element.get(name, "").upper() == "GET" else "POST"
