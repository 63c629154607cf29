"""A scaling law: the paper's formula with the meaning, unit and prior of each parameter, declared once."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from bayescale.coordinates import Coordinates
from bayescale.errors import InputError
from bayescale.prior import Prior, Support

GEOMETRIC_MEAN = "geometric mean"


@dataclass(frozen=True)
class Input:
    """An input of a law.

    Parameters
    ----------
    symbol : str
        Its name in the formula.
    meaning, unit : str
        In words.
    column : str
        The column of the runs that holds it; ``""`` if the user still has to say (`Law.on`).
    centre : str
        How its reference value comes from the runs: `GEOMETRIC_MEAN`, or ``"none"`` for 1.
    """

    symbol: str
    meaning: str
    unit: str
    column: str = ""
    centre: str = GEOMETRIC_MEAN


@dataclass(frozen=True)
class Output:
    """What a law predicts: column of the runs, meaning and unit."""

    symbol: str
    meaning: str
    unit: str


PARAMETERS = Input("N", "parameters", "parameters", "N")
TOKENS = Input("D", "training tokens", "tokens", "D")
COMPUTE = Input("C", "training compute", "FLOP", "C")
KNOWN_INPUTS = MappingProxyType({i.symbol: i for i in (PARAMETERS, TOKENS, COMPUTE)})
LOSS = Output("L", "loss", "nats/token")


class AtReference(Protocol):
    """How a parameter at the reference point and a constant of the paper turn into each other."""

    @property
    def symbol(self) -> str:
        """The constant's symbol in the paper."""
        ...

    def to_paper(self, value, params: Mapping[str, Any], reference: Mapping[str, Any]):
        """Return the paper's constant from the value at the reference point."""
        ...

    def from_paper(self, constant, params: Mapping[str, Any], reference: Mapping[str, Any]):
        """Return the value at the reference point from the paper's constant."""
        ...


@dataclass(frozen=True)
class Amplitude:
    """The coefficient ``A`` of a term ``A * x**-alpha``; at the reference, ``A_ref = A * x_ref**-alpha``."""

    symbol: str
    input: str
    exponent: str

    def to_paper(self, value, params, reference):
        """Return ``A``."""
        return value * reference[self.input] ** params[self.exponent]

    def from_paper(self, constant, params, reference):
        """Return ``A_ref``."""
        return constant * reference[self.input] ** -params[self.exponent]


@dataclass(frozen=True)
class Scale:
    """The constant ``x_c`` of a term ``(x_c / x)**alpha``; at the reference, ``(x_c / x_ref)**alpha``.

    For exponents close to zero ``x_c`` may exceed what a float holds; it is then infinite.
    """

    symbol: str
    input: str
    exponent: str

    def to_paper(self, value, params, reference):
        """Return ``x_c``."""
        if isinstance(value, int | float):
            value = np.float64(value)  # Python's own floats raise where NumPy's become infinite
        with np.errstate(over="ignore"):
            return reference[self.input] * value ** (1 / params[self.exponent])

    def from_paper(self, constant, params, reference):
        """Return the value of the term at the reference point."""
        return (constant / reference[self.input]) ** params[self.exponent]


@dataclass(frozen=True)
class Param:
    """A parameter as it is sampled, with its meaning, unit and default priors.

    Parameters
    ----------
    symbol : str
        Its name in posteriors and in ``priors=``.
    meaning, unit : str
        In words.
    support : Support
        Its range; groups are pooled on the real line behind it.
    prior : Prior
        Default prior, natural units. With ``scaled``, in units of the response's size.
    spread : Prior
        Default prior of the standard deviation between groups, on the unconstrained scale.
    scaled : bool
        Whether the default prior is multiplied by the geometric mean of the response.
    paper : AtReference, optional
        The constant of the paper this parameter stands for. Without it, it is the paper's own.
    pooled : bool
        Whether ``pool="column"`` pools it; if not, all groups share one value.
    """

    symbol: str
    meaning: str
    unit: str
    support: Support
    prior: Prior
    spread: Prior
    scaled: bool = False
    paper: AtReference | None = None
    pooled: bool = True


@dataclass(frozen=True, init=False)
class Published:
    """Values printed in a paper, in the units of this law's formula.

    Parameters
    ----------
    key : str
        Short name, such as ``"hoffmann2022"``.
    source : str
        Paper, equation or table.
    on : str, optional
        The column the law's one input stands for, where that is the user's choice.
    **values : float
        The paper's constants.
    """

    key: str
    source: str
    values: Mapping[str, float]
    on: str = ""

    def __init__(self, key: str, source: str, on: str = "", **values: float):
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "values", MappingProxyType(values))

    def __reduce__(self):
        return _rebuild_published, (self.key, self.source, self.on, dict(self.values))


def _rebuild_published(key, source, on, values):
    return Published(key, source, on, **values)


@dataclass(frozen=True)
class Law:
    """A scaling law.

    Parameters
    ----------
    name : str
        Short name; ``LAWS[name]`` finds it.
    formula : callable
        The paper's equation: inputs and the paper's constants in, response out. Plain arithmetic and `bayescale.ops`.
    inputs : tuple of Input
        What the response depends on.
    output : Output
        The response.
    params : tuple of Param
        What is sampled.
    published : tuple of Published
        Values from the literature.
    title, reference : str
        For the card.
    coordinates : LocalSlopes, optional
        Better coordinates for the sampler.

    Raises
    ------
    InputError
        Where the formula's arguments and the declared symbols differ; the message shows both lists.

    Examples
    --------
    >>> import bayescale as bs
    >>> round(bs.LAWS["chinchilla"].at("hoffmann2022", N=70e9, D=1.4e12), 3)
    1.937
    """

    name: str
    formula: Callable[..., Any]
    inputs: tuple[Input, ...]
    output: Output
    params: tuple[Param, ...]
    published: tuple[Published, ...] = ()
    title: str = ""
    reference: str = ""
    coordinates: Coordinates | None = field(default=None, repr=False)

    def __post_init__(self):
        declared = [*(i.symbol for i in self.inputs), *self.constants]
        written = list(inspect.signature(self.formula).parameters)
        if declared != written:
            raise InputError(
                f"Law {self.name!r}: the formula takes ({', '.join(written)}) but ({', '.join(declared)}) is declared: "
                "inputs first, then one constant for each parameter, in the same order."
            )
        symbols = [p.symbol for p in self.params]
        if len(set(symbols)) != len(symbols):
            raise InputError(f"Law {self.name!r} declares a parameter twice: {', '.join(symbols)}.")
        keys = [entry.key for entry in self.published]
        if len(set(keys)) != len(keys):
            raise InputError(f"Law {self.name!r} has two published entries of one key: {', '.join(keys)}.")
        for entry in self.published:
            if sorted(entry.values) != sorted(self.constants):
                raise InputError(
                    f"Law {self.name!r}: published values {entry.key!r} name {', '.join(entry.values)}; "
                    f"the law has {', '.join(self.constants)}."
                )
        if self.coordinates and sorted(self.coordinates.symbols) != sorted(symbols):
            raise InputError(
                f"Law {self.name!r}: its coordinates are of {', '.join(self.coordinates.symbols)}; "
                f"it has {', '.join(symbols)}."
            )

    def __str__(self):
        return self.name

    @property
    def constants(self) -> tuple[str, ...]:
        """Symbols of the paper's constants, in the order of the formula."""
        return tuple(p.paper.symbol if p.paper else p.symbol for p in self.params)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the runs that the inputs are read from."""
        return tuple(i.column for i in self.inputs)

    def __call__(self, **values):
        """Evaluate the formula at inputs and constants in the paper's units."""
        return self.formula(**values)

    def at(self, published: str, **inputs):
        """Evaluate the formula at a paper's constants.

        Parameters
        ----------
        published : str
            Key of the published values.
        **inputs : float or array_like
            Every input, natural units.

        Returns
        -------
        float or array_like
            The response, in the unit of `output`.
        """
        expected = [i.symbol for i in self.inputs]
        if sorted(inputs) != sorted(expected):
            raise InputError(f"Law {self.name!r} takes {', '.join(expected)}; given: {', '.join(inputs) or 'nothing'}.")
        return self.formula(**inputs, **self.find(published).values)

    def find(self, published: str) -> Published:
        """Look up published values by key."""
        for entry in self.published:
            if entry.key != published:
                continue
            column = self.inputs[0].column
            if entry.on and column and entry.on != column:
                raise InputError(
                    f"The published values {published!r} are for {entry.on}; this law is put on {column!r}."
                )
            return entry
        known = ", ".join(entry.key for entry in self.published) or "none"
        raise InputError(f"Law {self.name!r} has no published values {published!r}. Known: {known}.")

    def on(self, column: str) -> "Law":
        """Return this law of one input with the input read from ``column`` (``N``, ``D``, ``C`` or any other)."""
        if len(self.inputs) != 1:
            raise InputError(
                f"Law {self.name!r} has the inputs {', '.join(i.symbol for i in self.inputs)}; "
                f"only a law of one input can be put on {column!r}."
            )
        known = KNOWN_INPUTS.get(column)
        old = self.inputs[0]
        new = replace(
            old,
            column=column,
            meaning=known.meaning if known else column,
            unit=known.unit if known else "",
        )
        return replace(self, inputs=(new,))

    def to_paper(self, params: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any]:
        """Return the paper's constants from the sampled parameters.

        ``reference`` maps inputs to their reference values.
        """
        return {
            symbol: p.paper.to_paper(params[p.symbol], params, reference) if p.paper else params[p.symbol]
            for p, symbol in zip(self.params, self.constants, strict=True)
        }

    def from_paper(self, constants: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any]:
        """Return the sampled parameters from the paper's constants."""
        return {
            p.symbol: p.paper.from_paper(constants[symbol], constants, reference) if p.paper else constants[symbol]
            for p, symbol in zip(self.params, self.constants, strict=True)
        }

    def evaluate(self, params: Mapping[str, Any], relative: Mapping[str, Any]):
        """Evaluate the formula at sampled parameters and inputs divided by their reference values."""
        ones = {i.symbol: 1.0 for i in self.inputs}
        return self.formula(**relative, **self.to_paper(params, ones))

    def latex(self) -> str:
        """Return the formula in LaTeX."""
        import sympy

        names = [i.symbol for i in self.inputs] + list(self.constants)
        symbols = {name: sympy.Symbol(name, positive=True) for name in names}
        infinite = {s: rf"{n[:-4]}_{{\infty}}" for n, s in symbols.items() if n.endswith("_inf")}
        formula = sympy.latex(self.formula(**symbols), order="none", symbol_names=infinite)
        return f"{self.output.symbol} = {formula}"

    def text(self) -> str:
        """Return the formula in plain text, with the columns the inputs are read from."""
        import sympy
        from sympy.printing.str import StrPrinter

        inputs = {i.symbol: sympy.Symbol(i.column or i.symbol, positive=True) for i in self.inputs}
        constants = {name: sympy.Symbol(name, positive=True) for name in self.constants}
        formula = StrPrinter({"order": "none"}).doprint(self.formula(**inputs, **constants))
        return f"{self.output.symbol} = {formula}"

    def card(self) -> str:
        """Describe the law: formula, parameters with meaning, unit and default prior, and published values."""
        width = max(len(p.symbol) for p in self.params)
        lines = [
            f"{self.name}: {self.title}",
            f"  {self.latex()}",
            f"  {self.reference}",
            "",
            "Inputs",
            *(
                f"  {i.symbol}  {i.meaning}, {i.unit}" if i.column else f"  {i.symbol}  {i.meaning}"
                for i in self.inputs
            ),
            f"Output\n  {self.output.symbol}  {self.output.meaning}, {self.output.unit}",
            "",
            "Parameters (sampled) and default priors",
        ]
        for p in self.params:
            of = f"; the paper's {p.paper.symbol} follows" if p.paper else ""
            size = " x geometric mean of the response" if p.scaled else ""
            lines.append(f"  {p.symbol:<{width}}  {p.meaning} [{p.unit or 'no unit'}]{of}")
            lines.append(f"  {'':<{width}}  ~ {p.prior}{size}")
        if self.published:
            lines += ["", "Published values"]
        for entry in self.published:
            values = ", ".join(f"{k} {v:.6g}" for k, v in entry.values.items())
            on = f" on {entry.on}" if entry.on else ""
            lines.append(f"  {entry.key}{on}: {values}  ({entry.source})")
        return "\n".join(lines)


def reference_values(law: Law, runs) -> dict[str, float]:
    """Reference value of each input: the geometric mean over the runs, or 1 where the input has no centre."""
    return {
        i.symbol: float(math.exp(np.log(runs[i.column]).mean())) if i.centre == GEOMETRIC_MEAN else 1.0
        for i in law.inputs
    }
