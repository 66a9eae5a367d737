"""Everything that leaves the program: only this package prints.

output.py     Output: what commands say, and how each format shows it
documents.py  what it is given to show
redactor.py   the filter that knows the secrets
teller.py     a thread that tells what happens while it happens
asking.py     questions
streams.py    the encoding of it all
"""

from asyncflow_cli.output.documents import ErrorReport, Event, Format, Problem, View
from asyncflow_cli.output.output import COLORS, Confirm, Output, drop
from asyncflow_cli.output.redactor import Redactor
from asyncflow_cli.output.streams import settle

__all__ = [
    "COLORS",
    "Confirm",
    "ErrorReport",
    "Event",
    "Format",
    "Output",
    "Problem",
    "Redactor",
    "View",
    "drop",
    "settle",
]
