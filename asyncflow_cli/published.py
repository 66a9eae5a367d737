"""Every document that `--json` prints, by the name of its schema.

A document belongs to the module that prints or makes it; this is the one list of those modules.
"""

from __future__ import annotations

from asyncflow_cli import output
from asyncflow_cli.protocol import (
    callevents,
    callplan,
    callreports,
    callresult,
    calltrace,
    completion,
    configreports,
    doctorreport,
    reports,
    schemas,
    voicereports,
)
from asyncflow_cli.protocol.catalogue import report as catalogue_report
from asyncflow_cli.protocol.ci import report as ci_report
from asyncflow_cli.protocol.schemas import SchemaReport, SchemasReport
from asyncflow_cli.protocol.verify import report as verify_report

MODULES = (
    output,
    callevents,
    callplan,
    callreports,
    callresult,
    calltrace,
    catalogue_report,
    ci_report,
    completion,
    configreports,
    doctorreport,
    reports,
    schemas,
    verify_report,
    voicereports,
)


def schema(name: str | None) -> SchemaReport | SchemasReport:
    """The JSON Schema of one of our documents, or the names of all."""
    return schemas.published(schemas.shapes_in(MODULES), name)
