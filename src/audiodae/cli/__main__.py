"""`python -m audiodae.cli` is `audiodae`."""

from audiodae.cli import main

main()
