"""What the commands do, one package or module each; every one takes the host it works on."""
