"""Run untrusted Python in a sandbox: own session, empty environment, limits, no network, few readable files."""
