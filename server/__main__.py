"""`python -m server` is the `cim` command."""

from server.cli import main

main()
