"""The ledger: every attempt of a command on this machine, also refused and killed ones.

`directory` finds it, `line` has its format, `recording` writes it and `reading` reads it.
"""
