"""`python -m podward` is `podward`."""

import sys

from podward.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
