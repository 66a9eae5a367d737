"""How fast asyncflow is beside what one would use instead. README.md says how to read it."""
