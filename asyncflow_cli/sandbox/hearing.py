"""`POST /speech_to_text`: a file in, text out.

https://docs.async.com (Speech to text). Choices where the service is unknown: what is no audio is
400 FORMAT_NOT_RECOGNIZED; without anybody who can tell what is said the answer is 501.
"""

from __future__ import annotations

from importlib.util import find_spec

from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.protocol.answers import TRANSCRIPTION_MODEL, Transcription, TranscriptionRequest
from asyncflow_cli.sandbox.answering import Endpoint, read_fields, read_upload
from asyncflow_cli.sandbox.engine import EngineMissing
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.recognition import INSTALL, recognise
from asyncflow_cli.sandbox.refusal import Broken, Refusal, unable
from asyncflow_cli.sandbox.speaker import admit, check_language, check_model
from asyncflow_cli.sandbox.store import Store

ENGINE_HEADER = "x-sandbox-recognition"
"""`echo` or `pocketsphinx`: which of them answered."""


def speech_to_text(store: Store) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        admit(request, request.headers.get("x-api-key"))
        upload = await read_upload(request, "file")
        fields = read_fields(upload.fields, TranscriptionRequest)
        check_model(fields.model_id, {TRANSCRIPTION_MODEL}, "body")
        check_language(fields.language)
        try:
            heard = await recognise(upload.content, fields.language, store)
        except ValueError:
            raise Refusal(400, "FORMAT_NOT_RECOGNIZED", "The file is no audio") from None
        except EngineMissing as error:
            raise unable(error) from None
        if heard is None:
            raise _deaf(fields.language)
        return as_json(Transcription(heard.text), headers={ENGINE_HEADER: heard.engine})

    return endpoint


def _deaf(language: str | None) -> Refusal | Broken:
    """It knows its own speech again, and with the extra, English."""
    message = "The sandbox did not say this itself, and cannot listen"
    if language in (None, "en") and find_spec("pocketsphinx") is None:
        return Refusal(501, "RECOGNISER_MISSING", f"{message}. Install: {INSTALL}")
    return Broken(501, message, "With the extra [stt] it hears English")
