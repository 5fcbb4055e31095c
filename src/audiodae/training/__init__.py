"""Training: networks, losses, the run and its export. Needs the extra `audiodae[train]`."""
