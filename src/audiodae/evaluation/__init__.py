"""How good a network is: pairs of files and metrics of each, the oracle, the report on many, a page for the card."""
