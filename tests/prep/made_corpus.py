"""Small corpora of sound files made in code."""

import hashlib

import numpy as np
import soundfile

from tests.prep.made_banks import voice


def write_sound(path, samples, *, sample_rate=16_000, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, sample_rate, **options)
    return path


def make_speech(root, *, speakers=3, each=2, seconds=1.5, split=None):
    """ROOT/[SPLIT/]SPEAKER/N.wav"""
    for number in range(speakers):
        rng = np.random.default_rng([number, each])
        for file in range(each):
            name = f"{split + '_' if split else ''}speaker{number}"
            folder = root / split / name if split else root / name
            write_sound(folder / f"{file}.wav", voice(rng, seconds, 100 + 30 * number))
    return root


def make_noise(root, *, kinds=2, each=3, seconds=2.0):
    """ROOT/KIND/N.flac"""
    for kind in range(kinds):
        rng = np.random.default_rng([kind, 7])
        for file in range(each):
            noise = np.clip(0.1 * rng.standard_normal(int(16_000 * seconds)), -1, 1)
            write_sound(root / f"kind{kind}" / f"{file}.flac", noise)
    return root


def bytes_of(folder):
    """A hash of every file below a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
