"""Commands: parse, make one call, render."""
