"""`python -m accsearch.worker`: measure one task in the foreground."""

import sys

from accsearch.worker.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
