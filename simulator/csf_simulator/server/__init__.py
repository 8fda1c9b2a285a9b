"""The simulated Server: transactions, snapshots and restores of several processes at once."""
