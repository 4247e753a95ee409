"""scipy.special, loaded in half the time.

On its way scipy copies every public name of numpy, and so loads numpy.f2py with its parser of Fortran, which
nothing here needs and which takes as long as all the rest (scipy 1.17, numpy 2.3). While scipy loads, that
name is taken.
"""

from __future__ import annotations

import numpy as np

_taken = "f2py" not in vars(np)
if _taken:
    np.f2py = None  # type: ignore[assignment]
try:
    from scipy import special
finally:
    if _taken:
        del np.f2py

__all__ = ["special"]
