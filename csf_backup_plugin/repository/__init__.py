"""A master repository: its databases, its manifest, and what it shares with others."""
