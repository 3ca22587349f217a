"""The components that come with avelzoo, registered through the same hooks as anybody's."""
