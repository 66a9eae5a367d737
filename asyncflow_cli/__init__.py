"""asyncflow: the Async Voice API at a terminal, and a voice in a phone call."""

__version__ = "0.1.0"
