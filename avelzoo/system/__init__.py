"""System services: files, memory, threads, allocator, and the process-wide state of PyTorch and NumPy."""
