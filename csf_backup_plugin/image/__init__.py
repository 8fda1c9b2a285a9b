"""A backup image and the files beside it: receipt, import file, record of the run."""
