"""Default priors shared by the laws; weakly informative, after the published values.

Exponents: published loss exponents run from .04 to .6 (Henighan 2020 .04-.24 in N and .05-.19 in C; Hoffmann 2022 and
its refits .28-.37; Hestness 2017 .07-.35), so a log-normal with median .3 and a 95 % range of .09 to .97. Between
modalities the log exponents of Henighan's table 1 have a standard deviation of .27 (rows with a floor) to .6 (all
rows).

Levels are in units of the geometric mean of the response. A floor is most often half to nine tenths of the loss
measured; what a term owes to finite size or data is a tenth to a half of it.
"""

import math

from bayescale.prior import Prior

FLOOR = Prior("LogNormal", mu=math.log(0.6), sigma=0.5)
TERM = Prior("LogNormal", mu=math.log(0.2), sigma=1.0)
WHOLE = Prior("LogNormal", mu=math.log(0.7), sigma=0.5)
LEVEL_SPREAD = Prior("LogNormal", mu=math.log(0.6), sigma=0.5)

EXPONENT = Prior("LogNormal", mu=math.log(0.3), sigma=0.6)
EXPONENT_SPREAD = Prior("LogNormal", mu=math.log(0.3), sigma=0.5)
