"""What `avelzoo doctor` examines: the environment, devices, data, plugins, weights and optional libraries."""
