"""`python -m plugin.cli` is `sagafoley`."""

import sys

from plugin.cli import main

sys.exit(main())
