"""What all programs of the simulator share: arguments and errors."""
