"""Where tasks run: the protocol that the scheduler uses, and one file per place."""
