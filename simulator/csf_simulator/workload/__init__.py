"""Transactions that keep a repository busy while it is backed up, restored or read."""
