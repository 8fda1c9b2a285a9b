"""A fleet: the repositories of many hosts, described in one file."""
