"""Find how fast a diffusion pipeline can go before its images get worse."""

__version__ = "0.2.0"
