"""The acceleration methods, one file each; `compose` puts any admitted set of them on a pipeline."""

from accsearch.demo.operators import mend_torchvision

# Before anything here imports diffusers, which imports torchvision.
mend_torchvision()
