"""Time series in files: ECG, vibration, any sensor; read, cleaned by a network for samples, and written as they came.

>>> from audiodae import Denoiser                                      # doctest: +SKIP
>>> from audiodae.series import SeriesOptions, clean_series            # doctest: +SKIP
>>> clean_series(Denoiser("ecg"), "in.csv", "out.csv", options=SeriesOptions(rate=360))  # doctest: +SKIP

CSV, TSV, NPY and NPZ need nothing more; Parquet and WFDB records the extra `series`, EDF and BDF nothing.
"""

from audiodae.series.clean import CleanedSeries, SeriesOptions, clean_series
from audiodae.series.formats import is_series, open_series
from audiodae.series.reading import SeriesReader

__all__ = ["CleanedSeries", "SeriesOptions", "SeriesReader", "clean_series", "is_series", "open_series"]
