"""Files, errors that name a file, and the running of commands and their environment."""
