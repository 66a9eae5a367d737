"""Twilio's requests as web servers that others wrote take them: what they check is the address that
the request came to, for they know no other."""

from __future__ import annotations

import pytest
from starlette.responses import RedirectResponse
from twilio.request_validator import RequestValidator

from asyncflow_cli.sandbox.account import AUTH_TOKEN
from tests.sandbox.far_ends import ended, make_call, run, sandbox, web_server, xml

HANG_UP = xml("<Response><Hangup/></Response>")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "written",
    [
        "{url}",
        "{url}?a=1",
        "{url}/voice?name=a b",
        "{url}/voice?name=%C3%BC&empty=",
        "{url}/voice#rc=2&rp=all",
        "http://user:p%40ss@{host}/voice",
        "{url}/moved",
    ],
)
def test_the_address_that_was_asked_is_the_one_that_is_signed(written: str, method: str) -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            moved = RedirectResponse("/voice?b=2", 307)
            web.pages = {"/": HANG_UP, "/voice": HANG_UP, "/moved": moved}
            address = written.format(url=web.url, host=web.url.removeprefix("http://"))
            made = await make_call(running, url=address, method=method)
            assert (await ended(running, made.sid)).status == "completed"
            assert made.sid in web.hits[0].url + web.hits[0].form.get("CallSid", "")
            validator = RequestValidator(AUTH_TOKEN)
            for hit in web.hits:
                assert validator.validate(hit.url, hit.form, hit.signature)

    run(test())
