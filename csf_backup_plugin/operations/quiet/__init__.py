"""Quiet repositories: the program that stops and restarts applications, and the client check."""
