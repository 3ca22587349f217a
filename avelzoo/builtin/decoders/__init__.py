"""Built-in decoders: rules from scores to events."""
