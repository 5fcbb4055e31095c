"""What the texts on autoencoders claim, held against what was measured here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audiodae.comparison.settings import SubjectSettings
from audiodae.comparison.tables import Found, mean, values

ERROR_RATIO, PROBE_GAIN = 0.625, 0.05  # 0.05 : 0.08 of error, 85 % against 80 % of accuracy
NOISY_PROBE = 0.60

Runs = Mapping[str, Sequence[Found]]


@dataclass(frozen=True)
class Verdict:
    """A claim, what was measured, and whether the one holds for the other."""

    claim: str
    measured: str
    holds: bool


def headline(runs: Runs, settings: SubjectSettings) -> list[Verdict]:
    """On corrupted input a denoising autoencoder has the smaller error and the better features."""
    if settings.denoiser not in runs or settings.plain not in runs:
        return []
    denoiser, plain = runs[settings.denoiser], runs[settings.plain]
    errors = mean(denoiser, "error_noisy"), mean(plain, "error_noisy")
    probes = mean(denoiser, "probe_digit_noisy"), mean(plain, "probe_digit_noisy")
    names = f"{settings.denoiser} against {settings.plain}"
    return [
        Verdict(
            f"On noisy input, {names}: at most {ERROR_RATIO} of the error",
            f"{errors[0]:.4f} against {errors[1]:.4f}, ratio {errors[0] / errors[1]:.2f}",
            errors[0] <= ERROR_RATIO * errors[1],
        ),
        Verdict(
            f"On noisy input, {names}: a linear probe at least {100 * PROBE_GAIN:.0f} points better",
            f"{probes[0]:.3f} against {probes[1]:.3f}, {100 * (probes[0] - probes[1]):+.1f} points",
            round(probes[0] - probes[1], 6) >= PROBE_GAIN,
        ),
    ]


def features(runs: Runs, by_speaker: Runs, baseline: str) -> list[Verdict]:
    """A code learnt without labels beats hand-made features on clean speech, and keeps its worth in noise."""
    networks = {name: of for name, of in runs.items() if values(of, "train_seconds") and mean(of, "train_seconds") > 0}
    if baseline not in runs or not networks:
        return []
    wanted = mean(runs[baseline], "probe_digit_clean")
    robust = {name: of for name, of in networks.items() if mean(of, "probe_digit_noisy") >= NOISY_PROBE}
    best = max(robust or networks, key=lambda name: mean(networks[name], "probe_digit_clean"))
    clean, noisy = mean(networks[best], "probe_digit_clean"), mean(networks[best], "probe_digit_noisy")
    most = max(networks, key=lambda name: mean(networks[name], "probe_digit_noisy"))
    verdicts = [
        Verdict(
            "The linear probe of a code beats that of log-mel means over five parts on clean speech, and reaches "
            f"{NOISY_PROBE:.2f} in noise",
            f"{best}: {clean:.3f} clean (log-mel {wanted:.3f}), {noisy:.3f} noisy; most in noise: {most}, "
            f"{mean(networks[most], 'probe_digit_noisy'):.3f}",
            clean > wanted and noisy >= NOISY_PROBE,
        )
    ]
    if baseline in by_speaker and len(by_speaker) > 1:
        wanted = mean(by_speaker[baseline], "probe_digit_clean")
        mine = {name: mean(of, "probe_digit_clean") for name, of in by_speaker.items() if name in networks}
        best = max(mine, key=lambda name: mine[name])
        verdicts.append(
            Verdict(
                "The same on speakers never heard, clean",
                f"{best}: {mine[best]:.3f} (log-mel {wanted:.3f})",
                mine[best] > wanted,
            )
        )
    return verdicts


def character(runs: Runs, settings: SubjectSettings) -> list[Verdict]:
    """What the names of the families promise of their codes."""
    verdicts = []
    promises = [
        ("sparse", "fully-connected", "sparsity", "a sparser code", True),
        ("contractive", "fully-connected", "sensitivity", "a code less sensitive to small changes", False),
        ("contractive-deep", settings.plain, "sensitivity", "a code less sensitive to small changes", False),
    ]
    for name, other, measure, promise, higher in promises:
        if name in runs and other in runs:
            mine, theirs = mean(runs[name], measure), mean(runs[other], measure)
            holds = mine > theirs if higher else mine < theirs
            verdicts.append(Verdict(f"{name}: {promise} than {other}", f"{mine:.3f} against {theirs:.3f}", holds))
    for name in ("variational", "denoising-variational"):
        if name in runs:
            off, std = mean(runs[name], "moment_mean"), mean(runs[name], "moment_std")
            holds = off < 0.2 and abs(std - 1) < 0.2
            verdicts.append(Verdict(f"{name}: a code near N(0, I)", f"mean {off:.2f}, deviation {std:.2f}", holds))
    return verdicts
