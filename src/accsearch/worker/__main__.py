"""`python -m accsearch.worker`: measure one task in the foreground."""

import sys

from accsearch.start_folder import leave_off_path

if __name__ == "__main__":
    leave_off_path()

    from accsearch.worker.main import main

    sys.exit(main(sys.argv[1:]))
