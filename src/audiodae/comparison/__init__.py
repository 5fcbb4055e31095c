"""The families side by side: every family trained and measured the same way, and the report on them."""
