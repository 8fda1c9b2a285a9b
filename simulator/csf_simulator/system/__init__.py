"""Files, and the environment of processes, as the operating system has them."""
