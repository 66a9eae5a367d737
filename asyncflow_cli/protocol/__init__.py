"""The pure rooms: messages, states and decisions. No sockets, clocks, files or asyncio.

the service  models.py and answers.py, its shapes over HTTP; speechmessages.py and speech.py, its
             WebSocket; failures.py, what goes wrong with it
Twilio       media.py, its media streams; callrequest.py, what a call is asked for with
a call       bridge.py decides everything; script.py, takes.py, delivery.py and playout.py know
             where its speech is, endings.py and callresult.py what it came to
speech       formats.py, checked.py, wav.py, mp3.py, joining.py; transcript.py and markup.py for the
             text; timings.py and captions.py for its words
documents    reports.py and *reports.py are what `--json` prints; schemas.py, paths.py, picking.py
rooms        catalogue/ is every error there is, ci/ a suite of steps, verify/ whether sound is good
"""
