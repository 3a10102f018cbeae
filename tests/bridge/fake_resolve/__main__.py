"""`python -m tests.bridge.fake_resolve`: the fake editor as a process of its own; see `outside.OwnProcess`."""

from .outside import main

main()
