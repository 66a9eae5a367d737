"""Roads: the ways by which Twilio finds a port of this machine. `choice` names them all."""
