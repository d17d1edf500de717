"""Run untrusted Python in a cage: own session, empty environment, limits, no network, few readable files."""
