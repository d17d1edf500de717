"""Configurations: strict YAML in, one frozen `Config` out, everything checked that needs no torch."""
