"""Quiet repositories: a program that stops and starts what uses them, and who uses them still."""
