"""The simulated ObjectStore utilities: osbackup and osrestore, as Release 6.0 documents them."""
