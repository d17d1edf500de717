"""Crash consistency: every system call that may fail does, every process that may die does."""
