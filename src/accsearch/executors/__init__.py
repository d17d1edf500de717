"""How workers are started: the protocol that the scheduler uses, and one file an executor."""
