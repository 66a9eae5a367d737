"""The far end of every wire: a local Async and a local Twilio."""
