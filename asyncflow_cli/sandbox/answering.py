"""How an endpoint of the Async half reads what it is sent, and answers, whatever happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.protocol.models import ServerErrorAnswer, with_integers
from asyncflow_cli.sandbox.choices import Choices
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.refusal import Broken, Invalid, Refusal

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

T = TypeVar("T")


def answering(endpoint: Endpoint, choices: Choices) -> Endpoint:
    """The endpoint with its refusals as answers, and whatever else goes wrong as a 500."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Invalid as invalid:
            return invalid.answer(request, status=choices.validation)
        except (Refusal, Broken) as refusal:
            return refusal.answer(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception as error:
            body = ServerErrorAnswer(
                message="Internal server error",
                method=request.method,
                url=request.url.path,
                detail=f"{type(error).__name__}: {error}",
            )
            return as_json(body, status=500)

    return answer


def service_routes(
    table: Mapping[str, Mapping[str, Endpoint]], choices: Choices
) -> list[BaseRoute]:
    """Path → method → endpoint, as routes; another method of a path is 405, as FastAPI has it."""
    found: list[BaseRoute] = []
    for path, endpoints in table.items():
        for method, endpoint in endpoints.items():
            found.append(Route(path, answering(endpoint, choices), methods=[method]))
    for path, endpoints in table.items():
        found.append(Route(path, _not_allowed(sorted(endpoints)), methods=_METHODS))
    return found


_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]


def _not_allowed(methods: list[str]) -> Endpoint:
    async def answer(_request: Request) -> Response:
        body = {"detail": "Method Not Allowed"}
        return as_json(body, status=405, headers={"allow": ", ".join(methods)})

    return answer


async def read_json(request: Request, shape: type[T]) -> T:
    """The body as `shape`. Invalid if it is none."""
    body = await request.body()
    try:
        return msgspec.convert(with_integers(msgspec.json.decode(body)), shape)
    except msgspec.DecodeError as error:
        raise Invalid.because(error) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"JSON decode error: {error}", "body", kind="json_invalid") from None


class Upload(msgspec.Struct, frozen=True):
    """A multipart form: its one file, and its other fields."""

    content: bytes
    fields: dict[str, str]


async def read_upload(request: Request, part: str) -> Upload:
    """The form whose file is called `part`. Invalid if there is no such file."""
    try:
        async with request.form() as form:
            file = form.get(part)
            if file is None:
                raise Invalid("Field required", "body", part, kind="missing")
            if isinstance(file, str):
                raise Invalid("Expected a file", "body", part)
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            return Upload(await file.read(), fields)
    except HTTPException as error:
        raise Invalid(str(error.detail), "body") from None


def read_fields(fields: Mapping[str, str], shape: type[T]) -> T:
    """The text fields of a form as `shape`; an empty one counts as not given."""
    # The vendor's own n8n node posts every optional field, even when it is empty.
    given = {name: value for name, value in fields.items() if value}
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid.because(error) from None
