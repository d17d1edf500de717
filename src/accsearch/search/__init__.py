"""The upper-bound search: which configurations to measure, what their figures prove, and when to stop."""
