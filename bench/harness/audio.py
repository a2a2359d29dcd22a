"""Recorded speech as calls have it: 8 or 16 kHz, one or two parties; and how close a decoded copy is to it."""
import glob
import subprocess
import wave

from harness.core import command
from harness.results import Failed

BITRATE = {8000: 16000, 16000: 24000}  # callvault's own, per track
TURN = 6.0  # seconds that a party speaks before the other does
FRAME = 0.02


def numpy():
    try:
        import numpy
    except ImportError:
        raise Failed("python3-numpy is missing") from None
    return numpy


# Samples of one voice. 16 kHz: the same prompts, recorded in wideband (G.722).
def voice(bench, rate, seconds):
    np = numpy()
    kept = bench.work / f"voice-{rate}.raw"
    if not kept.exists():
        if rate == 8000:
            kept.write_bytes(bench._recorded())
        else:
            names = sorted(glob.glob("/usr/share/asterisk/sounds/*/**/*.g722", recursive=True))
            names = [n for n in names if "silence" not in n]
            if not names:
                raise Failed("no wideband speech: install asterisk-core-sounds-en-g722")
            coded = b"".join(open(n, "rb").read() for n in names[:400])
            done = subprocess.run(["ffmpeg", "-v", "error", "-f", "g722", "-i", "-", "-f", "s16le", "-ar", "16000", "-ac", "1", "-"],
                                  input=coded, capture_output=True)
            kept.write_bytes(done.stdout)
    samples = np.fromfile(kept, dtype="<i2")
    wanted = int(seconds * rate)
    return np.resize(samples, wanted)


# What a line carries while its party is silent: nothing, or the comfort noise of a gateway (-66 dBFS).
def line_noise(np, count, kind, seed=1):
    if kind == "zeros":
        return np.zeros(count, dtype="<i2")
    return np.rint(np.random.default_rng(seed).normal(0, 16, count)).astype("<i2")


def two_parties(bench, rate, seconds, silence="zeros", talking=(True, True)):
    """Two parties who take turns: [samples, 2]. While one speaks the other's line carries `silence`."""
    np = numpy()
    speech = voice(bench, rate, seconds)
    out = np.stack([line_noise(np, len(speech), silence, seed) for seed in (1, 2)], axis=1)
    turn = int(TURN * rate)
    for n, at in enumerate(range(0, len(speech), turn)):
        if talking[n % 2]:
            out[at:at + turn, n % 2] = speech[at:at + turn]
    return out


def write(path, samples, rate):
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with wave.open(str(path), "wb") as w:
        w.setparams((channels, 2, rate, 0, "NONE", ""))
        w.writeframes(samples.astype("<i2").tobytes())
    return path


def read(path):
    np = numpy()
    with wave.open(str(path), "rb") as w:
        samples = np.frombuffer(w.readframes(w.getnframes()), dtype="<i2")
        return samples.reshape(-1, w.getnchannels()).astype(float)


MODES = ["SILK narrow"] * 4 + ["SILK medium"] * 4 + ["SILK wide"] * 4 + ["hybrid"] * 4 + ["CELT"] * 16  # RFC 6716 sec. 3.1


def packets(path):
    """The Opus packets of an Ogg file with one stream, its two headers left out."""
    data, at, packet, found = path.read_bytes(), 0, b"", []
    while at < len(data):
        lacings = data[at + 27:at + 27 + data[at + 26]]
        at += 27 + len(lacings)
        for n in lacings:
            packet += data[at:at + n]
            at += n
            if n < 255:
                found.append(packet)
                packet = b""
    return found[2:]


def mode(path):
    """What libopus chose for most packets, and the kbit/s of all of them, by their 20 ms."""
    all_of_it = packets(path)
    names = [MODES[p[0] >> 3] for p in all_of_it]
    return max(set(names), key=names.count), sum(map(len, all_of_it)) * 8 / 20 / len(all_of_it)


def decode(bench, opus, rate, name):
    out = bench.work / f"{name}.wav"
    command("opusdec", "--quiet", "--rate", rate, "--no-dither", opus, out)
    return read(out)


# Where in `copy` the beginning of `original` lies: both are shifted by resampling and filters.
def delay(original, copy, rate):
    np = numpy()
    n = min(len(original), len(copy), 10 * rate)
    a, b = original[:n] - original[:n].mean(), copy[:n] - copy[:n].mean()
    size = 1 << (2 * n - 1).bit_length()
    together = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    reach = rate // 10
    window = np.concatenate([together[-reach:], together[:reach + 1]])
    return int(np.argmax(window)) - reach


# What is left is a part of a sample, by libopus' and the decoder's resamplers; it alone would hold the waveform's SNR at
# 8 dB. The copy is moved by whichever part, in steps of a fortieth, makes both most alike.
def move_by_a_part(original, copy):
    np = numpy()
    n = min(len(original), len(copy))
    spectrum = np.fft.rfft(copy[:n])
    turn = 2j * np.pi * np.fft.rfftfreq(n)
    together = np.conj(np.fft.rfft(original[:n])) * spectrum
    part = max(np.linspace(-1, 1, 81), key=lambda d: float((together * np.exp(turn * d)).real.sum()))
    return np.fft.irfft(spectrum * np.exp(turn * part), n)


def compare(original, copy, rate):
    """Segmental SNR in dB; the same by 20 bands of the ear's scale, each weighted by its loudness (fwSegSNR, the
    measure that follows listening tests best among the simple ones); the samples that the copy lay behind. Frames of
    20 ms in which somebody speaks."""
    np = numpy()
    shift = delay(original, copy, rate)
    copy = copy[shift:] if shift >= 0 else np.concatenate([np.zeros(-shift), copy])
    copy = move_by_a_part(original, copy)
    n = min(len(original), len(copy))
    size = int(FRAME * rate)
    frames = n // size
    a, b = original[:frames * size].reshape(frames, size), copy[:frames * size].reshape(frames, size)
    power = (a**2).sum(axis=1)
    spoken = power > power.max() * 1e-4
    a, b, power = a[spoken], b[spoken], power[spoken]
    segmental = np.clip(10 * np.log10(power / (((a - b)**2).sum(axis=1) + 1e-9)), -10, 35).mean()
    window = np.hanning(size)
    left, right = (np.abs(np.fft.rfft(x * window, 512, axis=1)) for x in (a, b))
    mel = np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), 22)
    edges = (700 * (10**(mel / 2595) - 1)) / (rate / 2) * 256
    bins = np.arange(257)
    bank = np.stack([np.clip(np.minimum((bins - lo) / (mid - lo), (hi - bins) / (hi - mid)), 0, None)
                     for lo, mid, hi in zip(edges, edges[1:], edges[2:])])
    left, right = left @ bank.T, right @ bank.T
    snr = np.clip(10 * np.log10(left**2 / ((left - right)**2 + 1e-9) + 1e-9), -10, 35)
    weight = left**0.2
    return float(segmental), float(((weight * snr).sum(axis=1) / weight.sum(axis=1)).mean()), shift
