"""What recognisers understand of noisy and of cleaned speech, and which setting of the cleaning serves them best."""
