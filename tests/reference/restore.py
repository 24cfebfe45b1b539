"""Definitions of restoration in plain NumPy: what is done around the network, and the losses of training."""

import numpy as np


def restored(image, network):
    """Normalised by mean and standard deviation, made even, through the network, and back to the image's scale."""
    image = np.asarray(image, np.float64)
    mean, std = image.mean(), image.std()
    if std == 0:
        return image
    (ny, nx), x = image.shape, (image - mean) / std
    x = np.pad(x, ((0, ny % 2), (0, nx % 2)), mode="symmetric").astype(np.float32)
    return network(x[None, None])[0, 0, :ny, :nx] * std + mean


def losses(g, y):
    """All losses of two images (y, x), unweighted (`crewe.train.losses`)."""
    g, y = np.asarray(g, np.float64), np.asarray(y, np.float64)
    error = ((g - y) ** 2).mean() + 0.02**2
    weight = 1 / np.sqrt(error)
    d = (g - y) * weight
    out = {"pixel": 0.5 * np.log(error)}
    out["whitening"] = 0.0
    for window, share in ((2, 1.0), (4, 1.33), (8, 1.66), (16, 2.0)):
        cut = [n // window * window for n in y.shape]
        parts = []
        for j in range(0, cut[0], window):
            for i in range(0, cut[1], window):
                part = np.s_[j : j + window, i : i + window]
                parts.append(np.abs(d[part]).mean() / max(y[part].std(), 0.1))
        out["whitening"] += share / 5.99 * np.mean(parts)
    out["fourier"] = 2 * 256**-0.125 * np.mean((np.abs(np.fft.rfft2(d)) ** 2 + 1e-6) ** (0.125 / 2))
    out["mean"] = abs(d.mean())
    out["std"] = abs(g.std(ddof=1) - y.std(ddof=1)) * weight
    return out
