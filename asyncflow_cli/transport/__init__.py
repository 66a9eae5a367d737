"""Input and output: thin shells around `protocol/`. They talk and decide nothing."""
