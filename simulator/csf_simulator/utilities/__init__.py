"""The simulated utilities of ObjectStore 6.0: osbackup, osrestore and osverifydb."""
