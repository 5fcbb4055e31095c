"""Data preparation: from folders of recordings to noisy and clean pairs, every random number drawn from one seed."""
