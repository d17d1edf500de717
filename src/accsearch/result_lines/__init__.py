"""Result lines: append, read, validate, select the best, export."""
