"""What the user configured, and where each value came from. Nothing here reads a file.

settings.py   Settings: every setting there is
values.py     how their values are written
loading.py    load: which source wins
names.py      what a file that configures us may say
"""

from asyncflow_cli.settings.loading import SANDBOX_PROFILE, load, read_setting
from asyncflow_cli.settings.settings import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    DEFAULT_TWILIO_BASE_URL,
    DEFAULT_VOICE,
    FIELDS,
    PROJECT_FILE,
    Settings,
)
from asyncflow_cli.settings.values import (
    account_sid,
    boolean,
    count,
    credential,
    domain,
    duration,
    edge,
    http_url,
    http_urls,
    is_loopback,
    is_this_machine,
    key_sid,
    patience,
    port,
    region,
    whole_seconds,
    without_login,
)

__all__ = [
    "DEFAULT_BASE_URL",
    "DEFAULT_MODEL",
    "DEFAULT_TWILIO_BASE_URL",
    "DEFAULT_VOICE",
    "FIELDS",
    "PROJECT_FILE",
    "SANDBOX_PROFILE",
    "Settings",
    "account_sid",
    "boolean",
    "count",
    "credential",
    "domain",
    "duration",
    "edge",
    "http_url",
    "http_urls",
    "is_loopback",
    "is_this_machine",
    "key_sid",
    "load",
    "patience",
    "port",
    "read_setting",
    "region",
    "whole_seconds",
    "without_login",
]
