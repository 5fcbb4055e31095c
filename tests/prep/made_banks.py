"""Small banks made in code: tones for voices, noise for noises, decaying noise for rooms."""

import numpy as np

from audiodae.prep.bank import Bank, Entry, write_entries
from audiodae.prep.decode import to_pcm
from audiodae.prep.draws import Banks


def write_bank(folder, recordings):
    """Write (path, group, samples) as a bank and load it."""
    folder.mkdir(parents=True)
    start, entries = 0, []
    for path, group, samples in recordings:
        entries.append(Entry(path=path, group=group, start=start, length=len(samples)))
        start += len(samples)
    pcm = [to_pcm(np.asarray(samples, np.float32)) for _, _, samples in recordings]
    np.save(folder / "pcm.npy", np.concatenate(pcm) if pcm else np.zeros(0, np.int16))
    write_entries(folder / "index.jsonl", entries)
    return Bank.load(folder)


def voice(rng, seconds, pitch_hz):
    """Harmonics that come and go: enough like speech to have pauses and a pitch."""
    time = np.arange(int(seconds * 16_000)) / 16_000
    tone = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k for k in range(1, 20))
    words = np.sin(2 * np.pi * 1.7 * time + rng.uniform(0, 6)) > -0.3
    return 0.05 * tone * words


def make_banks(folder, *, seed=0, rooms=True):
    """Six voices of three speakers, four noises of two kinds, two rooms."""
    rng = np.random.default_rng(seed)
    speech = [(f"s{n}.wav", f"speaker{n % 3}", voice(rng, rng.uniform(1.0, 4.0), 100 + 40 * (n % 3))) for n in range(6)]
    noise = [(f"n{n}.wav", f"kind{n % 2}", 0.05 * rng.standard_normal(int(rng.uniform(8e3, 6e4)))) for n in range(4)]
    taps = np.exp(-np.arange(4000) / 900)
    rooms_made = [(f"r{n}.wav", "rooms", np.r_[0.5, 0.2 * taps * rng.standard_normal(4000)]) for n in range(2)]
    return Banks(
        write_bank(folder / "speech", speech),
        write_bank(folder / "noise", noise),
        write_bank(folder / "rooms", rooms_made if rooms else []),
    )


def make_prepared(folder, *, rooms=True):
    """A prepared folder with banks for train and valid, as `audiodae train` wants it."""
    for seed, split in enumerate(("train", "valid")):
        make_banks(folder / "bank" / split, seed=seed, rooms=rooms)
    return folder
