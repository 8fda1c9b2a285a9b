"""Simulated databases: their bytes, and reading, building and changing them."""
