"""The light catalogue of acceleration methods and what combines with what; nothing here loads torch."""
