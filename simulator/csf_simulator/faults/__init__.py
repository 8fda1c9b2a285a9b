"""Faults of the utilities, injected as a script says."""
