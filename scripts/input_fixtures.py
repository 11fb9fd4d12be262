"""Writes the files that the tests of mlpcuda.input read, with NumPy, scikit-learn and Pillow.

    python3 scripts/input_fixtures.py src/test/resources/mlpcuda/input

The files in the repository were written with NumPy 2.4.6, scikit-learn 1.9.1 and Pillow 12.3.0.
"""

import pathlib
import sys

import numpy as np
from PIL import Image
from sklearn.datasets import dump_svmlight_file

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

# One archive with an array of each type and order: values 0 to 23, with steps of 1 or 0.5.
values = np.arange(24).reshape(6, 4)
arrays = {}
for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
    step = 0.5 if kind[0] == "f" else 1
    for order, name in [("<", "little"), (">", "big")]:
        array = (values * step).astype(order + kind)
        arrays[f"{kind}_{name}"] = array
        arrays[f"{kind}_{name}_fortran"] = np.asfortranarray(array)
arrays["b1"] = values % 3 == 0
arrays["images_fortran"] = np.asfortranarray(np.arange(36, dtype="f4").reshape(3, 4, 3))
labels = np.array([3, -1, 3, 0, 7, -1])
arrays["labels_i8"] = labels
arrays["labels_u8"] = np.array([3, 2**64 - 1, 3, 0, 7, 7], "u8")
arrays["labels_f4"] = labels.astype("f4")
arrays["labels_column"] = labels.astype(">i2").reshape(6, 1)
arrays["labels_b1"] = labels > 0
arrays["labels_U"] = np.array(["cat", "dog", "cat", "Ürsel", "a", "dog"])
arrays["labels_U_big"] = arrays["labels_U"].astype(">U5")
arrays["labels_S"] = np.array([b"cat", b"dog", b"cat", b"horse", b"a", b"dog"])
arrays["labels_marked"] = np.eye(9, dtype="f4")[[3, 1, 3, 0, 7, 1]]
arrays["objects"] = np.array([{}, None, 1, 2, 3, 4], dtype=object)
arrays["complex"] = values.astype("c8")
arrays["fields"] = np.zeros(6, [("a", "f4"), ("b", "i4")])
arrays["scalar"] = np.array(1.5)
arrays["empty"] = np.zeros((0, 4))
not_finite = values.astype("f8")
not_finite[4, 2] = np.nan
arrays["nan"] = not_finite
arrays["large"] = np.where(values == 13, 1e300, 0)
np.savez(folder / "types.npz", **arrays)

# An archive as Keras has it, and the same arrays as files.
rng = np.random.default_rng(1)
keras = {
    "x_train": rng.integers(0, 256, (8, 5, 4), np.uint8),
    "y_train": np.array([0, 1, 2, 1, 0, 2, 2, 1], np.uint8),
    "x_test": rng.integers(0, 256, (3, 5, 4), np.uint8),
    "y_test": np.array([2, 0, 1], np.uint8),
}
np.savez_compressed(folder / "keras.npz", **keras)
(folder / "arrays").mkdir(exist_ok=True)
for name, array in keras.items():
    np.save(folder / "arrays" / f"{name}.npy", array)

# The versions of the format.
for version in [(1, 0), (2, 0), (3, 0)]:
    with open(folder / f"version{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, values.astype("f4"), version=version)

# LIBSVM's format as scikit-learn writes it, with indices from 1 and from 0 on.
table = np.array([[0, 1.5, 0, -2], [1e-3, 0, 0, 0], [0, 0, 3, 0.25]])
for base, name in [(False, "one"), (True, "zero")]:
    dump_svmlight_file(table, [1, -1, 1], str(folder / f"{name}.libsvm"), zero_based=base, comment="made by scikit-learn")

# Pictures as Pillow writes them: two classes, named by their positions in x_train.
for split, count in [("train", 6), ("test", 3)]:
    for i in range(count):
        image = Image.fromarray(keras[f"x_{split}"][i])
        place = folder / "pictures" / split / str(keras[f"y_{split}"][i])
        place.mkdir(parents=True, exist_ok=True)
        image.save(place / f"{i}.png")
colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 20, 30]]], np.uint8)
Image.fromarray(colours).save(folder / "colours.png")
