"""Faults that really happen, against accsearch as a program: only files, processes, exit codes and streams count."""
