"""The machine's GPUs: what NVML says of them, which may be used, which are idle, and who has leased them."""
