"""Where a backup runs: the `Host` protocol and the adapters behind it."""
