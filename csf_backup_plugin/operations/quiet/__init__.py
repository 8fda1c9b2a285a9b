"""Quiet repositories: the program that stops and restarts their users, and the check of clients."""
