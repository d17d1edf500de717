"""The loop that keeps every slot busy, what it does on failures, and in which order it starts tasks."""
