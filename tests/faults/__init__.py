"""Faults that really happen, against the program: only files, processes, exit codes and streams count."""
