"""Where tasks may start: GPUs and CPU slots, and the tasks that wait for them or run there."""
