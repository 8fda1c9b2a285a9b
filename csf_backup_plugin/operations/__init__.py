"""The operations behind the commands: one package or module for each command."""
