"""The files that configure us, and the system's keyring.

reading.py        what stands in a file, and who may read it
files.py          ConfigFiles: the files of one run, and the settings that come of them
writing.py        one value changed, everything else left as it is
keychain.py       secrets in the system's keyring
configuration.py  what `config` shows and changes
login.py          a key, checked with its service and kept
"""
