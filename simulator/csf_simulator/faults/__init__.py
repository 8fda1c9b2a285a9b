"""Faults that strike the utilities when a script says so."""
