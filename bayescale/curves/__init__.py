"""Learning curves as smooth processes: no formula, but how the slope of a curve may go on, learnt from all curves.

A law's few constants have to describe a whole curve; its early part is no law's and drags the tail. What decides about
the next factor of two is the slope at the end and how fast it dies out, and that is much the same from curve to curve.
It stands beside `Model`, not in it: each curve has a path of a hundred values, which are integrated out by Gaussian
algebra in milliseconds, where a sampler would have to move through thousands of dimensions.
"""
