"""The simulated Server: transactions, snapshots and restores that keep out of each other's way."""
