"""The far end of every wire: a local Async and a local Twilio.

server.py puts both on one port. Behind it is

Async      speechapi.py, its HTTP API, and speechsocket.py, its WebSocket; speaker.py lets callers
           in; engine.py speaks, hearing.py listens, voices.py and library.py know the voices
Twilio     twilio.py, its REST API; carrier.py places calls and call.py is the life of one:
           webhook.py fetches its TwiML, program.py performs it, leg.py is the way to the callee,
           and streams.py and mediasocket.py carry the audio to the customer's server
callees    script.py reads what somebody at the phone does, callee.py does it
faults     faults.py says what shall go wrong and where; faulty*.py, breakage.py and edge.py do it
itself     control.py and *control.py are the sandbox's own routes, under /__sandbox; store.py
           remembers; attending.py and client.py are what our own commands do with a sandbox
"""
