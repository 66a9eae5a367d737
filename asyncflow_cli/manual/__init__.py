"""The manual: what the command tree says of itself, on a terminal, as man pages, as one document.

    page       a command as plain values: usage, examples, options by theme, exit codes
    reading    pages from Typer's tree
    written    pages from pages.json, which `make docs` writes: what help and completion read
    fileoptions  which options a file may set
    themes     which option stands under which heading
    exits      which exit codes a command can end with
    terminal   a page as `--help` shows it
    roff       a page as `man` shows it
    markdown   all pages as docs/reference.md
    documents  the files that `make docs` writes
    nearest    what was probably meant

Only `reading` and `nearest` know Typer. All works with no configuration and no network.
"""
