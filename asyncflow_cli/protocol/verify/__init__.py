"""Whether audio is what it is said to be, by its bytes alone: no ear, no service, no program."""
