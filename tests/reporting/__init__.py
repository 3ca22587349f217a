"""Reports, embeddings and their maps."""
