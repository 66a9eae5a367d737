"""Everything that leaves the program: only this package prints.

output.py     Output: what commands call, put together from
  words.py      what is said on stderr
  data.py       results on stdout
  telling.py    events, while they happen
  questions.py  what is asked
documents.py  what it is given to show
layout.py     rows and columns, on as many columns as there are
screen.py     a stream: how wide it is, and whether it has colours
console.py    Rich, which draws where there are
live.py       a view that is drawn over and over
progress.py   how far work is, as such a view
redactor.py   the filter that knows the secrets
teller.py     a thread that tells what happens while it happens
asking.py     how an answer is typed
"""

from asyncflow_cli.output.documents import ErrorReport, Event, Format, Problem, View
from asyncflow_cli.output.output import Output
from asyncflow_cli.output.questions import Confirm
from asyncflow_cli.output.redactor import Redactor
from asyncflow_cli.output.words import COLORS

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
]
