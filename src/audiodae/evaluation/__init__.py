"""How good a network is: pairs of files, metrics of one, the most that gains can reach, the report on many."""
