"""asyncflow: the Async Voice API at a terminal, and a voice in a phone call.

It is a library, too, whose whole front is `__all__`: docs/library.md tells what each name is for.
A name is loaded when it is first asked for: whoever wants the version pays for nothing else.
"""

__version__ = "0.1.0"

__all__ = [
    "ApiClient",
    "AsyncflowError",
    "CallOrder",
    "Initialize",
    "Journal",
    "OutputFormat",
    "PhoneCall",
    "RanDry",
    "Sandbox",
    "Settings",
    "SpeechRequest",
    "SpeechSession",
    "VoiceLibrary",
    "VoiceSelector",
    "__version__",
]

TYPE_CHECKING = False  # `typing` is slower to load than all of this; type checkers know the name

if TYPE_CHECKING:
    from asyncflow_cli.errors import AsyncflowError
    from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest, VoiceSelector
    from asyncflow_cli.protocol.order import CallOrder
    from asyncflow_cli.protocol.speechmessages import Initialize, RanDry
    from asyncflow_cli.sandbox.server import Sandbox
    from asyncflow_cli.settings import Settings
    from asyncflow_cli.transport.api import ApiClient
    from asyncflow_cli.transport.call import PhoneCall
    from asyncflow_cli.transport.journal import Journal
    from asyncflow_cli.transport.library import VoiceLibrary
    from asyncflow_cli.transport.speech import SpeechSession
else:
    _HOMES = {
        "ApiClient": "transport.api",
        "AsyncflowError": "errors",
        "CallOrder": "protocol.order",
        "Initialize": "protocol.speechmessages",
        "Journal": "transport.journal",
        "OutputFormat": "protocol.models",
        "PhoneCall": "transport.call",
        "RanDry": "protocol.speechmessages",
        "Sandbox": "sandbox.server",
        "Settings": "settings",
        "SpeechRequest": "protocol.models",
        "SpeechSession": "transport.speech",
        "VoiceLibrary": "transport.library",
        "VoiceSelector": "protocol.models",
    }

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found

    def __dir__():
        return sorted({*globals(), *__all__})
