"""The checklist for owners of a csf: whether it offers what this plugin needs."""
