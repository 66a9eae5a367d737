"""What people see, on every kind of terminal, beside a copy of it that somebody has looked at.

`make screens` writes the copies anew; look at what git says has changed.
"""
