"""A stand-in for csf: the command framework, as far as its plugins can see it."""
