"""The acceleration methods, one file each; `compose` puts any admitted set of them on a pipeline."""

from accsearch.demo.operators import register_torchvision_operators

# Before anything here imports diffusers, which imports torchvision.
register_torchvision_operators()
