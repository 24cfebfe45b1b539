"""Colours of vectors, and figures that hold what they are given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import _color, plot


def test_directions_have_their_colours():
    """Right red, up between yellow and green, left cyan, down between blue and magenta; y points down."""
    right, up, left, down = plot.vectors(np.array([[0, 1], [-1, 0], [0, -1], [1, 0]], float), largest=1.0)
    assert right.tolist() == [255, 0, 0]
    assert up.tolist() == [128, 255, 0]
    assert left.tolist() == [0, 255, 255]
    assert down.tolist() == [128, 0, 255]


@given(st.floats(-np.pi, np.pi), st.floats(0, 1))
def test_the_value_is_the_length(angle, length):
    colour = plot.vectors(np.array([length * np.sin(angle), length * np.cos(angle)]), largest=1.0)
    assert abs(int(colour.max()) - round(255 * length)) <= 1
    assert colour.min() == 0, "full saturation"


def test_vectors_without_length_and_wrong_ones():
    assert not plot.vectors(np.zeros((3, 4, 2))).any()
    assert not plot.vectors(np.full((3, 4, 2), np.nan)).any()
    with pytest.raises(ValueError, match=r"\(3, 4, 3\)"):
        plot.vectors(np.zeros((3, 4, 3)))
    with pytest.raises(ValueError, match="largest"):
        plot.vectors(np.zeros((3, 4, 2)), largest=0.0)


def test_grey_runs_from_black_to_white_and_survives_anything():
    ramp = _color.picture(np.linspace(-3, 7, 5000).reshape(50, 100))
    assert ramp.dtype == np.uint8
    assert ramp.min() == 0
    assert ramp.max() == 255
    assert np.all(np.diff(ramp.ravel().astype(int)) >= 0)
    lonely = np.zeros((100, 100))
    lonely[3, 4] = 1
    assert _color.picture(lonely)[3, 4] == 255, "one bright pixel is seen"
    assert not _color.picture(np.full((3, 3), 5.0)).any(), "a constant image is black"
    holes = np.array([[np.nan, 0.0], [1.0, np.inf]])
    assert _color.picture(holes).tolist() == [[0, 0], [255, 255]]
    phase = _color.picture(np.exp(1j * np.array([[-3.0, 0.0, 3.0]])))
    assert phase[0].tolist() == sorted(phase[0].tolist())
    with pytest.raises(ValueError, match="shape"):
        _color.picture(np.zeros((2, 2, 3)))


def test_the_legend_is_a_disc_of_all_colours():
    disc = _color.legend(65)
    assert disc.shape == (65, 65, 3)
    assert disc[32, 64].tolist() == [255, 0, 0]
    assert not disc[0, 0].any()
    assert not disc[32, 32].any()


def test_show_draws_every_image_with_its_bar():
    pytest.importorskip("matplotlib")
    images = {"ricom": np.random.default_rng(0).normal(size=(50, 80)).astype(np.float32), "com": np.ones((50, 80, 2))}
    figure = plot.show(images, step=0.2)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:2] == ["ricom", "com"]
    bars = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert bars == ["2 Å", "2 Å"], "16 Å wide: a bar of 2 Å"
    figure.canvas.draw()
    assert [axes.get_visible() for axes in plot.show(next(iter(images.values()))).axes] == [True]
    with pytest.raises(ValueError, match="at least one"):
        plot.show({})
    with pytest.raises(ValueError, match="odd"):
        plot.show({"odd": np.zeros((2, 2, 2, 2))})


def test_strain_is_drawn_as_maps_and_as_columns():
    pytest.importorskip("matplotlib")
    maps = np.random.default_rng(0).normal(0, 0.01, (4, 20, 30))
    maps[:, 0, 0] = np.nan
    figure = plot.strain(maps)
    assert [axes.get_title() for axes in figure.axes[:4]] == ["ε_yy [%]", "ε_xx [%]", "ε_xy [%]", "ω [°]"]
    low, high = figure.axes[0].images[0].get_clim()
    assert low == -high
    assert 2 < high < 3, "99 % of numbers that scatter by 1 %"
    assert figure.axes[1].images[0].get_clim() == (low, high)
    figure.canvas.draw()
    plot.strain(maps.reshape(4, -1), positions=np.argwhere(np.ones((20, 30))), limit=0.02).canvas.draw()
    for bad in ((maps[:3], None), (maps[:, 0], None), (maps.reshape(4, -1), np.zeros((5, 2)))):
        with pytest.raises(ValueError, match="parts"):
            plot.strain(bad[0], positions=bad[1])
