"""A fleet: repositories on many hosts, as one file has them."""
