"""What others published on ECG denoising by networks, printed beside our figures but not comparable number for number.

Protocol of these values: QT Database, first channel, 250 Hz resampled to 360; about 13,300 beats of 14 test patients,
twice, in frames of 512 samples; noise `bw` of the MIT-BIH Noise Stress Test Database, of 0.20 to 1.99 times the beat's
range; PRD with the estimate in its denominator. From `results.txt` of fperdigon/DeepFilter, commit cbe65b0e7a6c; the
picture in its README shows another run (DeepFilter: SSD 4.29, MAD 0.34, PRD 45.35, cosine 0.915).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Mean and standard deviation over beats of ssd, mad, prd_deepfilter and cosine."""

    method: str
    source: str
    means: tuple[float, float, float, float]
    deviations: tuple[float, float, float, float]


MEASURES = ("ssd", "mad", "prd_deepfilter", "cosine")
PUBLISHED = (
    Published("FIR", "", (47.464, 0.676, 66.158, 0.692), (88.496, 0.572, 22.104, 0.216)),
    Published("IIR", "", (35.645, 0.594, 61.125, 0.736), (70.189, 0.532, 23.220, 0.208)),
    Published("FCN-DAE", "Chiang et al. 2019", (10.633, 0.598, 94.504, 0.770), (14.417, 0.381, 70.717, 0.171)),
    Published("DRNN", "Antczak 2018", (6.702, 0.480, 50.035, 0.878), (11.316, 0.340, 24.802, 0.126)),
    Published("DeepFilter", "Romero et al. 2021", (5.203, 0.386, 50.445, 0.897), (7.915, 0.283, 29.598, 0.097)),
)
SAID = (
    "Published values, of another protocol and so not comparable number for number: QT Database (another amplitude, "
    "which SSD and MAD depend on), about 13,300 beats of 14 patients, noise bw alone; mean (standard deviation) over "
    "beats, from results.txt of fperdigon/DeepFilter at cbe65b0e7a6c."
)
