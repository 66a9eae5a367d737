"""Commands: parse, make one call, render. What they call is imported where it is called.

A file for each command or group of them, and

declared.py  how options and arguments are declared without Typer
options.py   options used more than once, and where text comes from
speaking.py  options of the commands that synthesise, and the request they come to
defaults.py  options whose default stands in a file
printed.py   which documents a command prints
"""
