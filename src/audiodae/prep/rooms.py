"""Simulated rooms: how a voice sounds at a microphone some metres away, in rooms that nobody had to measure.

A room is a shoebox. Its first reflections come from mirror images of the source (Allen and Berkley 1979,
doi:10.1121/1.382599, by pyroomacoustics). The images grow with the cube of time, so where they become too many the rest
is noise that dies away at the room's own rate, faster at high frequencies, as walls and air have it::

    direct    reflections          |    tail
      |     |  |  | || ||||||||||||:::::::::::......... . . .
      0                        crossover

Responses begin at the direct sound, which is one whole sample: the distance is rounded to a whole number of samples.
"""

from functools import partial

import msgspec
import numpy as np
import numpy.typing as npt

from audiodae.frames import FrameGeometry, analyse, synthesise
from audiodae.prep.bank_building import Source
from audiodae.prep.decode import DIRECT_PEAK, SAMPLE_RATE, Pcm, to_pcm

SPEED_OF_SOUND = 343.0  # m/s, as pyroomacoustics has it
SHORTEST_SIDE, LONGEST_SIDE = 2.0, 12.0  # m, of the floor
SHORTEST_T60, LONGEST_T60 = 0.1, 0.9  # s
NEAREST, FARTHEST = 0.3, 4.0  # m, from source to microphone
FROM_WALL = 0.3  # m
HIGHEST_ORDER = 16  # reflections of reflections: 6,000 images, some milliseconds of work
MOST_ABSORBING = 0.9  # of the energy that meets a wall; beyond it a room is open air
DECAY_60_DB = float(np.log(1000))

Floats = npt.NDArray[np.float64]
Point = tuple[float, float, float]


class Room(msgspec.Struct, frozen=True):
    """Everything that is drawn for one simulated room. Lengths in metres.

    Attributes
    ----------
    size : width, depth, height
    microphone, source : where they are
    t60 : seconds in which the sound falls by 60 dB, at 1 kHz
    tilt : how much sooner high frequencies die: t60 falls as (frequency / 1 kHz) to the minus tilt
    seed : of the noise in the tail
    """

    size: Point
    microphone: Point
    source: Point
    t60: float
    tilt: float
    seed: int


def draw_room(*, seed: int, split: str, index: int) -> Room:
    """Settle room number `index` of a split; every split has rooms of its own."""
    rng = np.random.default_rng([seed, *split.encode(), index])
    width, depth = rng.uniform(SHORTEST_SIDE, LONGEST_SIDE, 2)
    size = np.array([width, depth, rng.uniform(2.2, 4.5)])
    microphone = rng.uniform(FROM_WALL, size - FROM_WALL)
    source = _place_source(rng, size, microphone)
    t60 = max(rng.uniform(SHORTEST_T60, LONGEST_T60), shortest_t60(size))
    return Room(
        size=_point(size),
        microphone=_point(microphone),
        source=_point(source),
        t60=float(t60),
        tilt=float(rng.uniform(0.05, 0.4)),
        seed=int(rng.integers(2**31)),
    )


def simulate(room: Room) -> Pcm:
    """The response of a room, until it has fallen by 60 dB.

    Returns
    -------
    pcm : int16, shape (taps,), 16 kHz; begins at the direct sound, which is half of full scale
    """
    size = np.array(room.size)
    absorption = min(shortest_t60(size) * MOST_ABSORBING / room.t60, MOST_ABSORBING)
    reflections, delay = _reflections(room, absorption)
    length = max(round(room.t60 * SAMPLE_RATE), 1)
    response = np.zeros(length)
    kept = min(length, reflections.size)
    response[:kept] = reflections[:kept]
    # The images up to an order fill a diamond; from the radius of the sphere inside it on, some are missing.
    width, depth, height = room.size
    radius = min(a * b / np.hypot(a, b) for a, b in ((width, depth), (width, height), (depth, height)))
    crossover = round(HIGHEST_ORDER * radius / SPEED_OF_SOUND * SAMPLE_RATE) - delay
    if crossover < length:
        response = _join(response, _tail(room, length), crossover)
    return to_pcm((response * (DIRECT_PEAK / response[0])).astype(np.float32))


def shortest_t60(size: Floats) -> float:
    """Sabine's reverberation time of a room whose walls absorb as much as they may, seconds."""
    width, depth, height = size
    surface = 2 * (width * depth + width * height + depth * height)
    volume = width * depth * height
    return float(24 * np.log(10) * volume / (SPEED_OF_SOUND * surface * MOST_ABSORBING))


def simulated_rooms(count: int, *, seed: int, split: str) -> list[Source]:
    """Rooms to add to a bank, each a group of its own."""
    rooms = [draw_room(seed=seed, split=split, index=index) for index in range(count)]
    names = [f"simulated/{seed}-{split}-{index:04d}" for index in range(count)]
    return [
        Source(name, name, partial(simulate, room), recorded=False) for name, room in zip(names, rooms, strict=True)
    ]


def _place_source(rng: np.random.Generator, size: Floats, microphone: Floats) -> Floats:
    """A place for the source, a whole number of samples away from the microphone and inside the room."""
    while True:
        direction = rng.normal(size=3)
        distance = np.exp(rng.uniform(np.log(NEAREST), np.log(FARTHEST)))
        steps = np.ceil(distance / SPEED_OF_SOUND * SAMPLE_RATE)
        source: Floats = microphone + direction / np.linalg.norm(direction) * steps * SPEED_OF_SOUND / SAMPLE_RATE
        if np.all(source > FROM_WALL / 2) and np.all(source < size - FROM_WALL / 2):
            return source


def _point(place: Floats) -> Point:
    x, y, z = place.tolist()
    return x, y, z


def _reflections(room: Room, absorption: float) -> tuple[Floats, int]:
    """The direct sound at sample 0 and the reflections up to the highest order; the samples the direct sound took."""
    import pyroomacoustics as pra

    pra.constants.set("num_threads", 1)  # sums in another order would be other numbers
    shoebox = pra.ShoeBox(
        list(room.size),
        fs=SAMPLE_RATE,
        materials=pra.Material(absorption),
        max_order=HIGHEST_ORDER,
        air_absorption=True,
    )
    shoebox.add_source(list(room.source))
    shoebox.add_microphone(list(room.microphone))
    shoebox.compute_rir()
    distance = float(np.linalg.norm(np.subtract(room.source, room.microphone)))
    delay = round(distance / SPEED_OF_SOUND * SAMPLE_RATE)
    # A source between two samples is spread over a filter of this length, whose middle is the arrival.
    first = delay + pra.constants.get("frac_delay_length") // 2
    return np.asarray(shoebox.rir[0][0], np.float64)[first:], delay


def _tail(room: Room, length: int) -> Floats:
    """Noise that falls by 60 dB within t60 at 1 kHz, sooner at higher frequencies."""
    geometry = FrameGeometry.for_rate(SAMPLE_RATE, window_ms=16.0)
    noise = np.random.default_rng(room.seed).standard_normal(length).astype(np.float32)
    spectrum = analyse(noise[None], geometry)  # (1, frames, bins)
    frequency = np.maximum(np.arange(geometry.n_bins) * geometry.bin_hz, 125.0)
    t60 = room.t60 * (frequency / 1000) ** -room.tilt
    seconds = np.arange(spectrum.shape[1]) * geometry.hop_length / SAMPLE_RATE
    decay = np.exp(-DECAY_60_DB * seconds[:, None] / t60)
    tail: Floats = synthesise((spectrum * decay).astype(np.complex64), geometry, length)[0].astype(np.float64)
    return tail


def _join(reflections: Floats, tail: Floats, crossover: int) -> Floats:
    """Fade from the reflections into the tail, at the level that the reflections have there."""
    half = SAMPLE_RATE // 100  # 10 ms to each side
    start, stop = max(crossover - half, 1), min(crossover + half, reflections.size)
    wanted, present = (np.sqrt(np.mean(part[start:stop] ** 2)) for part in (reflections, tail))
    fade = np.clip((np.arange(reflections.size) - start) / max(stop - start, 1), 0, 1)
    joined: Floats = reflections * np.sqrt(1 - fade) + tail * (wanted / present) * np.sqrt(fade)
    return joined
