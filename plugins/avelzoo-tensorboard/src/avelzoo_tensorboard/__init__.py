"""Writes avelzoo's runs for TensorBoard."""
