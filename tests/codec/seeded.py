#!/usr/bin/env python3
"""Does the codec's test notice when a silence is sealed wrongly? One bug at a time is put into the encoder, and the test
must fail.  usage: seeded.py BUILD SOURCE"""

import os
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import Build  # noqa: E402

ENCODER = "vault/codec/opus_encoder.cc"
SEEDS = [
    ("encoded_all_the_same", "a quiet line is hardly encoded", ENCODER,
     "quiet_frames > kQuietFramesEncoded && !is_last", "false"),
    ("faint_taken_for_quiet", "all that is louder than a step of G.711 is encoded", ENCODER,
     "constexpr std::int16_t kQuietestStep = 8;", "constexpr std::int16_t kQuietestStep = 9;"),
    ("one_end_listened_to", "a click within a frame is encoded", ENCODER,
     "&& std::none_of(samples.begin(), samples.end(), loud)", ""),
    ("only_up_heard", "a sample below zero is as loud as one above", ENCODER,
     "sample > kQuietestStep || sample < -kQuietestStep", "sample > kQuietestStep"),
    ("word_after_a_gap", "the frame before a word is encoded, so that no player fades the word in", ENCODER,
     "if (!is_idle) return put_encoded(held, complexity, false, emit);", ""),
    ("tone_goes_on", "an encoder hears silence itself before frames are left out", ENCODER,
     "constexpr std::size_t kQuietFramesEncoded = 25;", "constexpr std::size_t kQuietFramesEncoded = 10;"),
    ("held_and_forgotten", "every frame of a silence is in the track", ENCODER,
     "if (is_held) CALLVAULT_TRY(put_held(is_idle, emit));", ""),
    ("silence_without_time", "a frame that was not sent takes its 20 ms", ENCODER,
     "encoded += kOpusClock / kPacketsPerSecond;", "if (packet_bytes > 1) encoded += kOpusClock / kPacketsPerSecond;"),
    ("last_page_held_back", "a track ends with its last page", ENCODER,
     "s.put_encoded(s.frame, s.complexity, is_last, emit)", "s.encode_frame(is_last, emit)"),
    ("rumble_filter", "low tones are kept as they were", ENCODER,
     "1, OPUS_APPLICATION_AUDIO,", "1, OPUS_APPLICATION_VOIP,"),
]


def main(build, source):
    maker, survived = Build(build, source), 0
    for name, guarantee, path, old, new in SEEDS:
        with tempfile.TemporaryDirectory(prefix="callvault-seeded-") as folder:
            program = folder + "/test_codec"
            maker.link("tests/test_codec", [maker.compile(path, [(old, new)], folder)], program)
            done = subprocess.run([program, "--abort-after=1", "--no-colors=true", "--source-file=*quiet_line_test.cc,*opus_track_test.cc"],
                                  capture_output=True, text=True, timeout=120, check=False)
        lines = done.stdout.splitlines()
        cases = [line.split(":", 1)[1].strip() for line in lines if line.startswith("TEST CASE:")]
        case = cases[-1] if cases else "it stops"
        survived += done.returncode == 0
        print(f"{name}: {guarantee}: {'SURVIVED' if done.returncode == 0 else 'caught: ' + case}", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
