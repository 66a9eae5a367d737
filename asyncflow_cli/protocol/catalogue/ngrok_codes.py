"""Codes of ngrok that a tunnel for a call can meet: https://ngrok.com/docs/errors"""

from __future__ import annotations

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.protocol.catalogue.entry import Entry, Owner

_ANOTHER_ROAD = "Give an address of your own: asyncflow call --public-url wss://… --port N"
_DASHBOARD = "See the account on dashboard.ngrok.com"
_RESERVE = "Reserve the domain on dashboard.ngrok.com first"
_REGION = "Leave the region out of ngrok's configuration"
_UPDATE = "Update the agent: ngrok update"

_ROWS: tuple[tuple[int, str, str, str, str], ...] = (
    (102, "Payment problem", "The account is suspended.", "An unpaid invoice.", _DASHBOARD),
    (103, "Account suspended", "ngrok suspended the account.", "Its terms of use.", _DASHBOARD),
    (
        105,
        "No authtoken",
        "What was given does not look like an authtoken.",
        "An API key in its place, or quotes around it.",
        "That is no authtoken: copy it from dashboard.ngrok.com, without quotes",
    ),
    (
        106,
        "Token of version 1",
        "The token was made for ngrok 1, which is gone.",
        "An old configuration file.",
        "Make a new authtoken on dashboard.ngrok.com",
    ),
    (
        107,
        "Token revoked",
        "The token is well formed, but no longer, or not yet, valid.",
        "It was reset, or the account was removed from its team.",
        "The token was revoked: make another on dashboard.ngrok.com",
    ),
    (
        108,
        "Too many agents",
        "As many agents of this account are running as its plan allows.",
        "An agent on another machine, or one that a crash left behind.",
        "Stop your other ngrok agent: the account's sessions are used up",
    ),
    (120, "Agent too old", "ngrok no longer serves this agent.", "An old install.", _UPDATE),
    (121, "Agent too old", "The account requires a newer agent.", "An old install.", _UPDATE),
    (
        123,
        "E-mail not verified",
        "The account's address is not confirmed.",
        "A new account.",
        "Follow the link in ngrok's e-mail, or ask for another on dashboard.ngrok.com",
    ),
    (
        302,
        "TCP needs a card",
        "TCP addresses are for accounts with a verified card.",
        "A tunnel of kind tcp in ngrok's configuration.",
        "Use an HTTP endpoint, as asyncflow does by itself",
    ),
    (311, "Unknown region", "There is no such region.", "An old configuration.", _REGION),
    (
        313,
        "Own subdomains need a plan",
        "The plan has no subdomain of your choice.",
        "A free account.",
        "Use the account's own development domain",
    ),
    (
        314,
        "Own hostnames need a plan",
        "The plan has no hostname of your choice.",
        "A free account.",
        "Use the account's own development domain",
    ),
    (
        316,
        "The token may not do this",
        "The token's access list does not name this address.",
        "A token with restrictions.",
        "Use a token whose access list allows it",
    ),
    (317, "Wrong region", "The address is bound to another region.", "A moved domain.", _REGION),
    (318, "Domain not reserved", "The domain is not this account's.", "A new name.", _RESERVE),
    (319, "Domain not reserved", "The domain is not this account's.", "A new name.", _RESERVE),
    (
        323,
        "Too many endpoints",
        "One agent may not have so many endpoints.",
        "Tunnels of your own in ngrok's configuration.",
        "Stop the other tunnels of this agent",
    ),
    (
        324,
        "Too many endpoints",
        "The account may not have so many endpoints.",
        "Tunnels that are still open.",
        "Stop the other tunnels of this account",
    ),
    (
        334,
        "Address in use",
        "The address is already online.",
        "Another agent with the same static domain.",
        "Another agent serves this address: stop it",
    ),
    (
        335,
        "Pooling does not match",
        "Two agents share an address, and only one of them allows it.",
        "Pooling is switched on in one place only.",
        "Allow pooling on both agents, or stop one",
    ),
    (
        336,
        "Kinds do not match",
        "Two agents share an address with endpoints of different kinds.",
        "An old agent beside a new one.",
        "Stop the other agent",
    ),
    (
        703,
        "Too many connections",
        "The account opens connections faster than its plan allows.",
        "Much traffic through one tunnel.",
        _ANOTHER_ROAD,
    ),
    (
        725,
        "Bandwidth used up",
        "The account's traffic of this month is spent.",
        "Call audio through a free account.",
        _ANOTHER_ROAD,
    ),
    (
        727,
        "Requests used up",
        "The account's requests of this month are spent.",
        "A web application behind the same account.",
        _ANOTHER_ROAD,
    ),
    (
        3004,
        "Invalid answer behind the tunnel",
        "What listens behind the tunnel does not speak HTTP.",
        "Another program on the port, or TLS where none was expected.",
        "Leave --port out, so that a free one is taken",
    ),
    (
        3200,
        "Nobody behind the address",
        "The endpoint is offline: its agent is gone.",
        "The agent ended, or the domain is not the one it serves.",
        "Run the command again",
    ),
    (
        3208,
        "Address banned",
        "ngrok has taken the address out of service.",
        "Its terms of use.",
        _ANOTHER_ROAD,
    ),
    (
        4018,
        "No authtoken",
        "The agent was started without an account.",
        "NGROK_AUTHTOKEN is not set.",
        "Set NGROK_AUTHTOKEN: ngrok needs a (free) account",
    ),
    (
        6022,
        "Abuse page",
        "A browser was warned of this address. Twilio is not shown this page.",
        "A free address, opened by hand.",
        "Nothing: calls are not affected",
    ),
    (
        6024,
        "Browser warning",
        "A browser was shown a page in between. Twilio is not shown this page.",
        "A free address, opened by hand.",
        "Nothing: calls are not affected",
    ),
    (
        8012,
        "Nothing behind the tunnel",
        "The agent cannot reach the local server.",
        "IPv6 where we listen on 127.0.0.1, or a wrong port.",
        "Forward to http://127.0.0.1:PORT, not to localhost",
    ),
    (
        8013,
        "TCP needs a card",
        "TCP endpoints are for accounts with a verified card.",
        "A tunnel of kind tcp in ngrok's configuration.",
        "Use an HTTP endpoint, as asyncflow does by itself",
    ),
    (
        9009,
        "A proxy needs a plan",
        "Running the agent behind a proxy is for paid plans.",
        "http_proxy is set.",
        f"Run it without the proxy. {_ANOTHER_ROAD}",
    ),
    (15002, "Domain not reserved", "The domain is not this account's.", "A new name.", _RESERVE),
)

ENTRIES = tuple(
    Entry(
        f"ERR_NGROK_{number}",
        PrerequisiteError,
        title,
        meaning,
        cause,
        next,
        owner=Owner.NGROK,
        link=f"https://ngrok.com/docs/errors/err_ngrok_{number}",
    )
    for number, title, meaning, cause, next in _ROWS
)
