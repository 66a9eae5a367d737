"""Input and output: thin shells around `protocol/`. They talk and decide nothing.

the service  api.py over HTTP, through exchange.py; speech.py over the WebSocket
Twilio       twilio.py, its REST API; listener.py and mediasocket.py are what it connects to
a call       call.py, from preparation to hang-up; conversation.py runs the bridge, way.py and
             roads/ lead from Twilio to us, journal.py and ending.py see that no call outlives its
             run
audio        destination.py takes it whole, from a spool.py, sinks.py as it comes; decoding.py and
             player.py
commands     what they do is in a file of their own: synthesis.py, streaming.py, timestamps.py,
             transcription.py, ownvoices.py, calling.py, calls.py, ci/, config/, doctor/
"""

import sys

# httpx loads a command line of its own where click and Rich are installed, which takes 40 ms. This
# is Python's way to say that there is none: https://docs.python.org/3/library/sys.html#sys.modules
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
