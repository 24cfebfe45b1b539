"""What training needs: pairs as a torch data set, and sheets to look at them. torch is imported when asked for."""

from crewe.train.data import dataset
from crewe.train.preview import sheet

__all__ = ["dataset", "sheet"]
