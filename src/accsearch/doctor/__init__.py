"""What this machine lacks for accsearch, and whether the results on disk are what was measured."""
