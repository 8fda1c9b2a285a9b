"""Files, errors that name a file, and the environment of processes."""
