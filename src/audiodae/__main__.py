"""`python -m audiodae` is `audiodae`."""

from audiodae.cli import main

main()
