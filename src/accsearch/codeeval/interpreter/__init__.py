"""An abstract interpreter: it follows a program over values that may be unknown, and runs nothing of it."""
