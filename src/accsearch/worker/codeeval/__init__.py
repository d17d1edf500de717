"""The trusted, torch side of `evaluate`: builds the baseline, takes the times, computes the scores."""
