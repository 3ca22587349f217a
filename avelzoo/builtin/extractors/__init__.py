"""Built-in extractors: features of sound and of pictures."""
