"""The command csf-sim."""
