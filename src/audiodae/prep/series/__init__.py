"""Preparation of time series: banks of recordings, what is drawn and mixed from them, a made-up ECG and its noises."""
