"""ObjectStore's utilities: how they are called, what they print, and what they are given."""
