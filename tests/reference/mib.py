"""Merlin frames by definition: what a detector writes, and how it is read back, a pixel at a time where it matters.

The image of a 2x2 quad has chips 1, 2 above and 3, 4 below, the lower two turned by 180°. A raw file row holds one row
of each chip in the order 4, 3, 2, 1; raw pixels lie in words of 64 bits, most significant byte first, first pixel last.
"""

import numpy as np

KINDS = {1: ("U08", ">u1"), 6: ("U08", ">u1"), 12: ("U16", ">u2"), 24: ("U32", ">u4")}
CHIP = 256


def header(number, width, height, kind, *, depth, layout="1x1", chips=1, modern=True, digits=6, size=None):
    """The text before a frame, NUL-padded; `modern=False` leaves out the extension that names the counter depth."""
    size = size or 256 + 128 * chips
    words = ["MQ1", f"{number:0{digits}d}", f"{size:05d}", f"{chips:02d}", f"{width:04d}", f"{height:04d}", kind]
    words += [f"{layout:>6}", f"{(1 << chips) - 1:02X}", "2026-01-02 03:04:05.678900", "0.002000", "0", "0", "2"]
    words += ["2.500000E+0", "5.110000E+2", *["0.000000E+0"] * 6, *(["3RX"] + ["100"] * 27) * chips]
    if modern:
        words += ["MQ1A", "2026-01-02T02:04:05.678900123Z", "2000000ns", str(depth)]
    return (",".join(words) + ",").encode().ljust(size, b"\0")


def frame(number, image, depth, *, raw=False, quad=False, layout=None, **options):
    """Header and pixels of one frame."""
    height, width = image.shape
    options = {"depth": depth, "layout": layout or ("2x2" if quad else "1x1"), "chips": 4 if quad else 1, **options}
    if not raw:
        kind, dtype = KINDS[depth]
        return header(number, width, height, kind, **options) + image.astype(dtype).tobytes()
    rows = raw_rows(image, gap=2 * options["layout"].endswith("G")) if quad else image
    parts = [rows >> 12, rows & 0xFFF] if depth == 24 else [rows]
    data = b"".join(raw_words(part, min(depth, 12)) for part in parts)
    return header(number, rows.shape[1] * len(parts), rows.shape[0], "R64", **options) + data


def raw_rows(image, gap=0):
    """A quad's image → the rows in which its chips send it."""
    half = (image.shape[0] - gap) // 2
    upper, lower = image[:half], image[half + gap :]
    left, right = slice(0, CHIP), slice(CHIP + gap, None)
    turned = [lower[::-1, part][:, ::-1] for part in (right, left)]
    return np.hstack([*turned, upper[:, right], upper[:, left]])


def raw_words(rows, depth):
    """Pixels → 64-bit words: the word's bits from the lowest up are the pixels in their order."""
    bits = {1: 1, 6: 8, 12: 16}[depth]
    pixels = rows.reshape(-1, 64 // bits).astype(np.uint64)
    words = np.zeros(len(pixels), np.uint64)
    for j in range(pixels.shape[1]):
        words |= pixels[:, j] << np.uint64(j * bits)
    return words.astype(">u8").tobytes()


def decode(data, height, width, depth, *, raw=False, quad=False, gap=0):
    """The pixels of one frame → (ky, kx); `height`, `width` of the image."""
    dtype = np.dtype(KINDS[depth][1])
    if not raw:
        return np.frombuffer(data, dtype).reshape(height, width).astype(dtype.newbyteorder("="))
    if depth == 24:
        high, low = data[: len(data) // 2], data[len(data) // 2 :]
        options = dict(raw=True, quad=quad, gap=gap)
        return (decode(high, height, width, 12, **options).astype("u4") << 12) | decode(
            low, height, width, 12, **options
        )
    bits = {1: 1, 6: 8, 12: 16}[depth]
    words = np.frombuffer(data, ">u8").astype(np.uint64)
    pixels = np.stack([(words >> np.uint64(j * bits)) & np.uint64((1 << bits) - 1) for j in range(64 // bits)], -1)
    pixels = pixels.reshape(-1).astype(dtype.newbyteorder("="))
    if not quad:
        return pixels.reshape(height, width)
    half = (height - gap) // 2
    chips = pixels.reshape(half, 4, CHIP)
    image = np.zeros((height, width), pixels.dtype)
    image[:half, :CHIP] = chips[:, 3]
    image[:half, CHIP + gap :] = chips[:, 2]
    image[half + gap :, :CHIP] = chips[::-1, 1, ::-1]
    image[half + gap :, CHIP + gap :] = chips[::-1, 0, ::-1]
    return image


def acquisition(scan=None, *, depth=12, layout="1x1", frames=None, per_trigger=None):
    """The text of a .hdr file, which is also the first message on the data socket: 2048 bytes."""
    sy, sx = scan or (1, frames)
    frames = sy * sx if frames is None else frames
    lines = [
        "HDR,\t",
        "Time and Date Stamp (day, mnth, yr, hr, min, s):\t02/01/2026 03:04:05",
        "Chip ID:\tW1_A1, - , - , - ",
    ]
    lines += [
        f"Assembly Size (NX1, 2X2):\t{layout:>6}",
        f"Counter Depth (number):\t{depth}",
        "Gain:\tHGM",
        "Sensor:\tµA",
    ]
    lines += [
        f"Frames in Acquisition (Number):\t{frames}",
        f"Frames per Trigger (Number):\t{per_trigger or sx}",
    ]
    lines += [f"ScanX:\t{sx}", f"ScanY:\t{sy}"] if scan else []
    return "\r\n".join([*lines, "End\t"]).encode("latin-1").ljust(2048)


def write(path, images, depth, *, scan=None, beside=None, **options):
    """A .mib of these images and, with `scan`, its .hdr (with `beside` as options of `acquisition`)."""
    path.write_bytes(b"".join(frame(i + 1, image, depth, **options) for i, image in enumerate(images)))
    if scan or beside:
        path.with_suffix(".hdr").write_bytes(acquisition(scan, depth=depth, **(beside or {})))
    return path


def counts(n, depth, shape=(256, 256), seed=0):
    """Every counter value may occur: (n, ky, kx)."""
    dtype = np.dtype(KINDS[depth][1]).newbyteorder("=")
    return np.random.default_rng(seed).integers(0, 1 << depth, (n, *shape)).astype(dtype)
