"""What the programs of the simulator share: arguments, streams, signals and errors."""
