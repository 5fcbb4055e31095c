"""How good a network is: metrics of a file, the table over many, pictures of both."""
