"""How good images are: scorers of image against caption, and similarity to the baseline's images."""
