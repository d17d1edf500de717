"""Training, export and evaluation of the demo pipeline."""
