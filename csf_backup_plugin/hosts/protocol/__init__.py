"""What a use case may ask of a host; `host.Host` is the whole protocol."""
