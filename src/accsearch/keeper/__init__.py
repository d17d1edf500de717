"""One small process per slot: parent and subreaper of its workers, alive until they have ended."""
