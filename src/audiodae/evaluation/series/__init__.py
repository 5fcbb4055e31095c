"""How good a cleaner of ECG is: sets of records and recorded noise, measures, classic filters, report, pictures."""
