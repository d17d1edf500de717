"""Judging acceleration code written by others: comparison without running it, and evaluation in a sandbox."""
