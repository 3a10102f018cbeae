"""`python -m tests.bridge.fake_resolve`: the fake editor as a process (see `OwnProcess`)."""

from .outside import main

main()
