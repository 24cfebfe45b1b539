"""A long run: detectors at full rate, knobs turned every second, a viewer, cuts; nothing may be lost, memory stays.

Two detectors, processes of their own, play scan after scan by `crewe.io.replay`: a Merlin of 256 x 256 pixels and a
Timepix3 of four chips. In turns they fill a live session each: riCOM, iCOM, centre of mass, two virtual detectors, the
sum of all patterns and, of frames, a single-sideband phase. A viewer, one more process, asks the page of `crewe view`
for all images three times a second and turns kernel, rotation and radii every second. Now and then a detector is
killed in the middle of a scan and comes back. All images of every finished scan are held against functions of
`crewe.imaging` that saw no socket; counts must agree exactly.
"""

import argparse
import itertools
import sys
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks.soak.camera import SPAWN, Camera
from benchmarks.soak.memory import Memory, growth, keep_nothing
from benchmarks.soak.scans import CHIP, MIDDLE, POSITIONS, QUAD, of_events, of_frames
from benchmarks.soak.viewer import Shown, look
from crewe import live
from crewe.cli.page import Page

EXAMPLES = """examples:
  python -m benchmarks.soak                        # half an hour
  python -m benchmarks.soak --minutes 2 --cuts 2   # does it run at all?
  nohup python -m benchmarks.soak --minutes 600 --cuts 200 > soak.log &

Ctrl-C prints the report so far. Exit code 1: something is lost, an image wrong, or memory grew by more than 1 %.
"""
PHASE = live.SSB(energy=200e3, semiangle=20.0, step=0.2, angle_per_pixel=0.39)
GROWTH = 0.01  # of the memory, at most
WARM_UP = 0.1, 120.0  # part of the time, at most so many seconds, before memory counts


def soak(minutes: float, cuts: int, folder: str) -> bool:
    """Run, and print what came of it; True: all bars are met."""
    keep_nothing()
    merlin = Camera("merlin", "", CHIP, images={"ssb": PHASE})
    timepix = Camera("tpx3", f"{folder}/scan.tpx3", QUAD, center=(MIDDLE, MIDDLE))
    cameras, memory, tally = [merlin, timepix], Memory(), SPAWN.Array("d", 4)
    with SPAWN.Pool(1) as pool:  # what this takes isn't our memory
        truths = [
            pool.apply(of_frames, (merlin.session.ring_width,)),
            pool.apply(of_events, (timepix.session.ring_width, timepix.file)),
        ]
    for camera in cameras:
        camera.appear()
        camera.scan()  # centres of the next scan are those of this one
        camera.session.next_scan()
        camera.scan(POSITIONS // 2)  # so that memory for a cut is taken before memory counts
        camera.cuts = 0
    shown, length, begin = Shown(cameras), 60 * minutes, time.monotonic()
    at = np.arange(1, cuts + 1) * length / (cuts + 1)
    rng, complete = np.random.default_rng(0), False
    try:
        with Page(shown) as page:
            viewer = SPAWN.Process(target=look, args=(page.port, tally), daemon=True)
            viewer.start()
            memory.start()
            for camera, truth in itertools.cycle(zip(cameras, truths, strict=True)):
                passed, done = time.monotonic() - begin, sum(camera.cuts for camera in cameras)
                if passed > length:
                    break
                with shown.lock:
                    camera.session.next_scan()
                    phase_rotation = shown.knobs["rotation"]
                due = done < cuts and passed > at[done] and camera is cameras[done % 2]
                camera.scan(int(POSITIONS * rng.uniform(0.2, 0.7)) if due else 0)
                with shown.lock:
                    camera.check(truth, shown.knobs, phase_rotation)
            viewer.kill()
        complete = True
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    finally:
        for camera in cameras:
            camera.vanish()
        minutes = (time.monotonic() - begin) / 60
        good = report(cameras, list(tally), memory, begin + min(WARM_UP[0] * length, WARM_UP[1]), minutes)
    return good and (not complete or sum(camera.cuts for camera in cameras) == cuts)


def report(cameras: list[Camera], tally: list[float], memory: Memory, steady: float, minutes: float) -> bool:
    """Print what happened; True: nothing was lost or wrong, and memory stayed."""
    print(f"{minutes:.1f} minutes")
    good = True
    for camera in cameras:
        taken, wrong = camera.scans * POSITIONS, dict(+camera.wrong)
        rate = (camera.scans - camera.cuts) * POSITIONS / max(camera.seconds, 1e-9)
        print(
            f"{camera.name}: {camera.scans} scans, {taken:,} positions ({camera.sent.value:,} sent), {rate:,.0f}/s,"
            f" {camera.cuts} cuts, {camera.lost} lost; {camera.checked} images checked, wrong: {wrong or 'none'}"
        )
        good = good and not camera.lost and not wrong and camera.sent.value >= taken
    looks, turns, failures, longest = tally
    print(f"viewer: {looks:.0f} looks, {turns:.0f} turns, {failures:.0f} failures, longest answer {longest:.2f} s")
    grown = growth([sample for sample in memory.samples if sample[0] >= steady])
    print(f"memory: {grown or 'the run was too short to say'}")
    return good and not failures and (grown is None or grown.within(GROWTH))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="how long; default: 30")
    parser.add_argument("--cuts", type=int, default=10, help="how often a detector vanishes; default: 10")
    options: Any = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        return 0 if soak(options.minutes, options.cuts, folder) else 1


if __name__ == "__main__":
    sys.exit(main())
