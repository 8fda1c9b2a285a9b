"""A stand-in for csf: the command framework, as its plugins see it."""
