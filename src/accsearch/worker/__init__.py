"""The torch side: one process that measures every trial of one task."""
