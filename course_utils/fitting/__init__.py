"""From training runs to scaling laws: lower envelope, IsoFLOP parabolas, parametric fit.

The three functions are the three approaches of Hoffmann et al. (2022), section 3:

- ``fit_envelope``   a power law through the runs that no run with less compute beats;
- ``fit_isoflop``    a parabola per compute budget, a power law through their minima;
- ``fit_parametric`` all runs at once to L = E + A/N^α + B/D^β, and ``bootstrap`` for how far
  its coefficients can be trusted; ``resample`` does that for the other two.

N counts parameters, D tokens, C FLOPs (raw counts); losses are in nats per token. Only NumPy
is needed.
"""

from course_utils.fitting.descent import Stop, bfgs
from course_utils.fitting.envelope import EnvelopeFit, fit_envelope
from course_utils.fitting.isoflop import IsoflopFit, Minimum, fit_isoflop
from course_utils.fitting.newton import DELTA
from course_utils.fitting.parametric import Coefficients, ParametricFit, fit_parametric, objective
from course_utils.fitting.power_law import PowerLaw, fit_power_law
from course_utils.fitting.resampling import Bootstrap, bootstrap, resample
from course_utils.fitting.runs import FitWarning

__all__ = [
    "DELTA",
    "Bootstrap",
    "Coefficients",
    "EnvelopeFit",
    "FitWarning",
    "IsoflopFit",
    "Minimum",
    "ParametricFit",
    "PowerLaw",
    "Stop",
    "bfgs",
    "bootstrap",
    "fit_envelope",
    "fit_isoflop",
    "fit_parametric",
    "fit_power_law",
    "objective",
    "resample",
]
