"""This machine as a host; what it does is in a module each."""
