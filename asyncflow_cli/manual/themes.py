"""Under which heading of its help an option stands. Few options need no headings."""

from __future__ import annotations

PLAIN = "Options"
EVERYWHERE = "Options of every command"

SPEAKING = {
    "Text": ("file", "plain_text", "flush_after", "max_silence", "keep_open", "audio"),
    "Voice": ("voice", "model", "language", "speed", "stability"),
    "Sound": ("preset", "format", "sample_rate", "encoding", "bit_rate"),
    "Captions": (
        *("captions", "captions_output", "max_chars", "max_lines"),
        *("max_cue", "gap_split", "split_on", "strict"),
    ),
    "Who is called": ("to", "from_", "caller_id", "ring_timeout", "send"),
    "While they listen": (
        *("machine", "barge_in", "repeat", "press_to_repeat", "press_to_stop"),
        *("max_duration", "record", "lead"),
    ),
    "How Twilio finds this machine": ("tunnel", "public_url", "port", "reconnect"),
    "How it is made": ("transport", "jobs", "dry_run"),
    "Where it goes": ("output", "play", "show", "report", "save_heard", "force"),
    "Gates": ("assert_ttfb", "assert_max_gap", "assert_rtf", "verify"),
    "In the sandbox": ("callee",),
}
SERVING = {
    "Where": ("port",),
    "What it is like": ("speed", "deterministic", "callee", "account"),
    "What goes wrong": ("fault", "strict"),
    "What the service's documents leave open": (
        *("era", "cursor", "paging", "model_rule", "init_ack", "validation"),
    ),
}
VERIFYING = {
    "What it must be": ("container", "encoding", "sample_rate", "min_duration", "max_duration"),
    "How it must sound": ("max_silence", "min_level", "max_level"),
    "What is said in it": ("timings", "text", "file", "min_wpm", "max_wpm"),
}
THEMES = {
    **dict.fromkeys(("tts", "tts-stream", "timestamps", "call"), SPEAKING),
    "sandbox serve": SERVING,
    "verify": VERIFYING,
}


def theme_of(command: str, option: str) -> str:
    """The heading for a parameter's name; PLAIN if it has none of its own."""
    themes = THEMES.get(command, {})
    return next((title for title, names in themes.items() if option in names), PLAIN)


def order_of(command: str) -> tuple[str, ...]:
    return (*THEMES.get(command, {}), PLAIN, EVERYWHERE)
