"""What may be missing on the way to a spoken word, looked for all at once.

examination.py  a check, and how many of them run beside and after one another
visit.py        which checks there are, in which order they are told
machine.py      Python and what is installed with it
files.py        our files: their folders, their room, who may read them
network.py      proxy, names, certificates, the clock
service.py      the Async Voice API: key, HTTP, WebSocket
phone.py        Twilio's account, and the way from there to this machine
mending.py      what is safe to put right
bundle.py       all of it in one file for somebody else to read
"""
