"""The ledger: every attempt of a command on this machine, also one that was refused or killed.

`directory` says where it is, `line` what is in it, `recording` writes it and `reading` reads it.
"""
