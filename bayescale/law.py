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
from bayescale.given import check_kind, check_text
from bayescale.prior import POSITIVE, REAL, UNIT, Prior, Support
from bayescale.words import preformatted, shown

GEOMETRIC_MEAN = "geometric mean"
MEAN = "mean"
NONE = "none"


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
        How its reference value comes from the runs: `GEOMETRIC_MEAN`; ``"none"`` for 1, where the formula needs the
        input as it is (bits, counts of experts); `MEAN` for an input that is shifted rather than divided and may be
        negative (a date); or the symbol of another input, whose reference it shares (unique tokens with tokens).
    typical : (float, float), optional
        A usual range, natural units; `check_law` stays in it. By default six decades about 1e8, and one from 1 to 10
        for an input without a centre.
    known : bool
        Whether the formula takes it as a known number beside which no parameter stands (the chance of a guess), so that
        runs which all have the same teach no less.
    """

    symbol: str
    meaning: str
    unit: str
    column: str = ""
    centre: str = GEOMETRIC_MEAN
    typical: tuple[float, float] | None = None
    known: bool = False

    @property
    def support(self) -> Support:
        """The range of its values: positive, or any number for an input centred at its mean."""
        return REAL if self.centre == MEAN else POSITIVE

    @property
    def neutral(self) -> float:
        """The reference value that changes nothing."""
        return 0.0 if self.centre == MEAN else 1.0

    def relative(self, x, reference):
        """Return the input relative to its reference value: divided by it, or shifted."""
        return x - reference if self.centre == MEAN else x / reference

    def log(self, relative):
        """Return a coordinate in which the input's steps are alike: its log, or itself where it is shifted."""
        return relative if self.centre == MEAN else np.log(relative)


@dataclass(frozen=True)
class Output:
    """What a law predicts.

    Parameters
    ----------
    symbol : str
        The column of the runs that holds it.
    meaning, unit : str
        In words.
    support : Support
        Its range. Noise scatters a positive response on the log scale, any other on its own.
    higher_is_better : bool
        Which way a run that falls short misses: `bayescale.noise.Frontier`.
    """

    symbol: str
    meaning: str
    unit: str
    support: Support = POSITIVE
    higher_is_better: bool = False

    def link(self, x):
        """Map the response to the real line, on which a departure from the law is added: log, logit, or itself."""
        return self.support.unconstrain(x)

    def unlink(self, u):
        """Map the real line back to the response."""
        return self.support.constrain(u)


PARAMETERS = Input("N", "parameters", "parameters", "N")
TOKENS = Input("D", "training tokens", "tokens", "D")
COMPUTE = Input("C", "training compute", "FLOP", "C")
KNOWN_INPUTS = MappingProxyType({i.symbol: i for i in (PARAMETERS, TOKENS, COMPUTE)})
LOSS = Output("L", "loss", "nats/token")
ERROR = Output("error", "error rate", "share")
ACCURACY = Output("accuracy", "share of right answers", "share", UNIT, higher_is_better=True)
ELO = Output("elo", "Elo rating", "Elo", REAL, higher_is_better=True)


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
class Coefficient:
    """The coefficient of a product of powers, ``a * C**-eta * M**eta``; at the reference, the product's value.

    Parameters
    ----------
    symbol : str
        The paper's.
    powers : tuple of (str, str, float)
        Input, exponent and the number it is multiplied by: ``(("C", "eta", -1), ("M", "eta", 1))``.
    """

    symbol: str
    powers: tuple[tuple[str, str, float], ...]

    def to_paper(self, value, params, reference):
        """Return the coefficient."""
        return value / self._at_reference(params, reference)

    def from_paper(self, constant, params, reference):
        """Return the product's value at the reference point."""
        return constant * self._at_reference(params, reference)

    def _at_reference(self, params, reference):
        return math.prod(reference[x] ** (times * params[exponent]) for x, exponent, times in self.powers)


@dataclass(frozen=True)
class Position:
    """A place on an input's axis, such as a break ``d``; relative to the reference, ``d / x_ref``, or ``d - x_ref``."""

    symbol: str
    input: str
    shifted: bool = False

    def to_paper(self, value, params, reference):
        """Return the place in the input's unit."""
        return value + reference[self.input] if self.shifted else value * reference[self.input]

    def from_paper(self, constant, params, reference):
        """Return the place relative to the reference."""
        return constant - reference[self.input] if self.shifted else constant / reference[self.input]


@dataclass(frozen=True)
class Intercept:
    """The constant ``b`` of a line ``a * t + b`` in a shifted input; at the reference, the line's value there."""

    symbol: str
    input: str
    slope: str

    def to_paper(self, value, params, reference):
        """Return ``b``."""
        return value - params[self.slope] * reference[self.input]

    def from_paper(self, constant, params, reference):
        """Return the line's value at the reference."""
        return constant + params[self.slope] * reference[self.input]


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
        Whether the default prior is multiplied by the size of the response: its geometric mean, or its root mean square
        where it may be negative.
    along : str, optional
        An input: the default prior's ``sigma`` counts standard deviations of that input's log over the runs (its own
        standard deviation where it is shifted). For a place on the input's axis.
    across : str, optional
        An input: the default prior is multiplied by that standard deviation. For a width on the log axis.
    per : str, optional
        An input: the default prior is divided by that standard deviation. For a slope on the log axis.
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
    along: str = ""
    across: str = ""
    per: str = ""

    def default(self, response_scale: float, spans: Mapping[str, float]) -> Prior:
        """Return the default prior for runs whose response and inputs have these sizes.

        Parameters
        ----------
        response_scale : float
            Size of the response.
        spans : mapping of str to float
            Standard deviation of each input's log (or of the input, where it is shifted) over the runs.
        """
        prior = self.prior.scaled(response_scale) if self.scaled else self.prior
        if self.along:
            prior = Prior(prior.distribution, **{**prior.args, "sigma": prior.args["sigma"] * spans[self.along]})
        if self.per:
            prior = prior.scaled(1 / spans[self.per])
        return prior.scaled(spans[self.across]) if self.across else prior


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
    slopes : mapping of str to int, optional
        Which way the response goes in an input: -1 falls, 1 rises; inputs not named may do either. By default a loss
        falls in every input. `check_law` holds the formula to it.
    equation : callable, optional
        Where the formula is a numerical solution, what it solves: takes SymPy symbols by name, the output among them,
        and returns both sides, for print.
    optimum : callable, optional
        The compute-optimal split in closed form: a budget ``C`` in FLOP (6 N D) and the paper's constants in, ``N`` and
        ``D`` out.
    multimodal : bool
        Whether the posterior may have several modes, which a fit must then look for.

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
    slopes: Mapping[str, int] | None = None
    equation: Callable[..., Any] | None = field(default=None, repr=False)
    optimum: Callable[..., Any] | None = field(default=None, repr=False)
    multimodal: bool = False

    def __post_init__(self):
        _check_parts(self)
        declared = [*(i.symbol for i in self.inputs), *self.constants]
        written = _arguments(self)
        if declared != written:
            raise InputError(
                f"Law {self.name!r}: the formula takes ({', '.join(written)}) but ({', '.join(declared)}) is declared: "
                "inputs first, then one constant for each parameter, in the same order."
            )
        symbols = [p.symbol for p in self.params]
        if len(set(symbols)) != len(symbols):
            raise InputError(f"Law {self.name!r} declares a parameter twice: {', '.join(symbols)}.")
        for p in self.params:
            _check_map(self, p)
        keys = [entry.key for entry in self.published]
        if len(set(keys)) != len(keys):
            raise InputError(f"Law {self.name!r} has two published entries of one key: {', '.join(keys)}.")
        for entry in self.published:
            if sorted(entry.values) != sorted(self.constants):
                raise InputError(
                    f"Law {self.name!r}: published values {entry.key!r} name {', '.join(entry.values)}; "
                    f"the law has {', '.join(self.constants)}."
                )
        inputs = [i.symbol for i in self.inputs]
        named = [
            *(self.slopes or ()),
            *(x for p in self.params for x in (p.along, p.across, p.per) if x),
            *(i.centre for i in self.inputs if i.centre not in (GEOMETRIC_MEAN, MEAN, NONE)),
        ]
        if unknown := [x for x in named if x not in inputs]:
            raise InputError(
                f"Law {self.name!r}: {unknown[0]!r} is named as an input; its inputs are {', '.join(inputs)}."
            )
        divided = [i.symbol for i in self.inputs if i.centre in (GEOMETRIC_MEAN, NONE)]
        if shared := [i for i in self.inputs if i.centre in inputs and i.centre not in divided]:
            raise InputError(
                f"Law {self.name!r}: {shared[0].symbol!r} shares the centre of {shared[0].centre!r}, which is not "
                f"divided by a reference of its own; those that are: {', '.join(divided) or 'none'}."
            )
        if self.coordinates and sorted(self.coordinates.symbols) != sorted(symbols):
            raise InputError(
                f"Law {self.name!r}: its coordinates are of {', '.join(self.coordinates.symbols)}; "
                f"it has {', '.join(symbols)}."
            )
        _check_formula(self)

    def __str__(self):
        return self.card()

    def __repr__(self):
        return f"<Law {self.name}: {self.text()}>"

    def _repr_html_(self):
        return f"{self.mathml()}{preformatted(self.card())}"

    @property
    def constants(self) -> tuple[str, ...]:
        """Symbols of the paper's constants, in the order of the formula."""
        return tuple(p.paper.symbol if p.paper else p.symbol for p in self.params)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the runs that the inputs are read from."""
        return tuple(i.column for i in self.inputs)

    @property
    def movable(self) -> bool:
        """Whether the column of the first input is the user's choice: it is the only one, or is called ``x``."""
        return len(self.inputs) == 1 or self.inputs[0].symbol == "x"

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
        check_kind("published", published, str, "Name one of the law's published values.")
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
        """Return this law of any one input with that input read from ``column`` (``N``, ``D``, ``C`` or any other)."""
        if not self.movable:
            raise InputError(
                f"Law {self.name!r} has the inputs {', '.join(i.symbol for i in self.inputs)}; "
                f"only a law of any one input can be put on {column!r}."
            )
        known = KNOWN_INPUTS.get(column)
        old = self.inputs[0]
        new = replace(
            old,
            column=column,
            meaning=known.meaning if known else column,
            unit=known.unit if known else "",
        )
        return replace(self, inputs=(new, *self.inputs[1:]))

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
        return self.formula(**relative, **self.relative_constants(params))

    def relative_constants(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the formula's constants from the sampled parameters, for inputs divided by their reference values."""
        return self.to_paper(params, {i.symbol: i.neutral for i in self.inputs})

    @property
    def directions(self) -> Mapping[str, int]:
        """Which way the response goes in each input that has a direction: -1 falls, 1 rises."""
        if self.slopes is not None:
            return self.slopes
        falls = self.output == LOSS and not any(p.support == REAL for p in self.params)
        return {i.symbol: -1 for i in self.inputs} if falls else {}

    def latex(self) -> str:
        """Return the formula in LaTeX."""
        import sympy

        left, right, symbols = self._symbolic(lambda i: i.symbol)
        infinite = {s: rf"{n[:-4]}_{{\infty}}" for n, s in symbols.items() if n.endswith("_inf")}
        return " = ".join(sympy.latex(side, order="none", symbol_names=infinite) for side in (left, right))

    def mathml(self) -> str:
        """Return the formula in presentation MathML, as pages show it."""
        from sympy.printing.mathml import mathml

        left, right, _ = self._symbolic(lambda i: i.symbol)
        sides = [mathml(side, printer="presentation", order="none") for side in (left, right)]
        return f'<math display="block"><mrow>{sides[0]}<mo>=</mo>{sides[1]}</mrow></math>'

    def javascript(self) -> str:
        """Return the formula as a JavaScript expression, of inputs ``x[0]``, ... and draw ``i`` of constants ``p[0]``.

        Both in the order in which they are declared.

        Raises
        ------
        InputError
            The law is a numerical solution, or has a function that JavaScript has not.
        """
        import sympy

        said = f"Law {self.name!r} has no formula in elementary functions of JavaScript."
        if self.equation is not None:
            raise InputError(said)
        symbols = {i.symbol: sympy.Symbol(f"x[{k}]", real=True) for k, i in enumerate(self.inputs)}
        symbols |= {c: sympy.Symbol(f"p[{k}][i]", real=True) for k, c in enumerate(self.constants)}
        written = str(sympy.jscode(self.formula(**symbols)))
        if "//" in written:  # so the printer marks what it cannot say
            raise InputError(said)
        return written.replace("\n", " ")

    def text(self) -> str:
        """Return the formula in plain text, with the columns the inputs are read from."""
        from sympy.printing.str import StrPrinter

        left, right, _ = self._symbolic(lambda i: i.column or i.symbol)
        return " = ".join(StrPrinter({"order": "none"}).doprint(side) for side in (left, right))

    def _symbolic(self, name: Callable[[Input], str]) -> tuple[Any, Any, dict[str, Any]]:
        """Both sides of the law as SymPy expressions, and the symbols in them; inputs are called what ``name`` says."""
        import sympy

        symbols = {i.symbol: sympy.Symbol(name(i), positive=True) for i in self.inputs}
        symbols |= {constant: sympy.Symbol(constant, positive=True) for constant in self.constants}
        output = sympy.Symbol(self.output.symbol, positive=True)
        if self.equation is not None:
            left, right = self.equation(**{self.output.symbol: output}, **symbols)
        else:
            left, right = output, self.formula(**symbols)
        return left, right, symbols

    def card(self) -> str:
        """Describe the law: formula, parameters with meaning, unit and default prior, and published values."""
        width = max(len(p.symbol) for p in self.params)
        lines = [
            f"{self.name}: {self.title}",
            f"  {self.text()}",
            f"  {self.latex()}",
            f"  {self.reference}",
            "",
            "Inputs",
            *(f"  {i.symbol}  {', '.join(filter(None, (i.meaning, i.unit)))}" for i in self.inputs),
            "Output",
            f"  {self.output.symbol}  {', '.join(filter(None, (self.output.meaning, self.output.unit)))}",
            "",
            "Parameters (sampled) and default priors",
        ]
        for p in self.params:
            of = f"; the paper's {p.paper.symbol} follows" if p.paper else ""
            size = " x size of the response" if p.scaled else ""
            size += f", sigma x standard deviation of log {p.along}" if p.along else ""
            size += f" x standard deviation of log {p.across}" if p.across else ""
            size += f" / standard deviation of log {p.per}" if p.per else ""
            lines.append(f"  {p.symbol:<{width}}  {p.meaning} [{p.unit or 'no unit'}]{of}")
            lines.append(f"  {'':<{width}}  ~ {p.prior}{size}")
        if self.published:
            lines += ["", "Published values"]
        for entry in self.published:
            values = ", ".join(f"{k} {v:.6g}" for k, v in entry.values.items())
            on = f" on {entry.on}" if entry.on else ""
            lines.append(f"  {entry.key}{on}: {values}  ({entry.source})")
        return "\n".join(lines)


def _check_parts(law: Law) -> None:
    """Refuse parts of the wrong kind."""
    check_kind("The name of a law", law.name, str)
    check_kind(f"Law {law.name!r}: output", law.output, Output)
    for name, kind in (("inputs", Input), ("params", Param), ("published", Published)):
        parts = getattr(law, name)
        if not isinstance(parts, tuple):
            raise InputError(f"Law {law.name!r}: {name} must be a tuple, also of one: (it,).")
        for part in parts:
            check_kind(f"Law {law.name!r}: each of {name}", part, kind)
    check_kind(f"Law {law.name!r}: slopes", {} if law.slopes is None else law.slopes, Mapping, "Write {'N': -1}.")
    for item in law.inputs:
        check_text(f"Law {law.name!r}: the centre of an input", item.centre, NONE)
    for word in (*(i.symbol for i in law.inputs), *(p.symbol for p in law.params)):
        if not (isinstance(word, str) and word.isidentifier()):
            raise InputError(f"Law {law.name!r}: a symbol is a name of the formula such as 'alpha', not {shown(word)}.")
    for param in law.params:
        check_kind(f"Law {law.name!r}: the prior of {param.symbol!r}", param.prior, Prior)


def _arguments(law: Law) -> list[str]:
    try:
        return list(inspect.signature(law.formula).parameters)
    except (TypeError, ValueError):
        raise InputError(f"Law {law.name!r}: the formula must be a function; {shown(law.formula)} was given.") from None


def _check_formula(law: Law) -> None:
    """Refuse a formula that fails, or gives no numbers, at two points at once."""
    symbols = [*(i.symbol for i in law.inputs), *law.constants]
    given = {symbol: np.array([0.5, 0.75]) + k / 100 for k, symbol in enumerate(symbols)}
    for item in law.inputs:
        if item.centre == NONE:  # enters in its own unit
            low, high = item.typical or (1.0, 10.0)
            given[item.symbol] = low + (high - low) * np.array([0.25, 0.5])
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(law.formula(**given))
    except Exception as error:  # the formula is the user's own program
        raise InputError(
            f"The formula of law {law.name!r} fails on arrays: {type(error).__name__}: {shown(str(error))}. "
            "ops.where and ops.maximum stand for if and max."
        ) from error
    if result.dtype.kind not in "iuf" or result.shape != (2,):
        raise InputError(
            f"The formula of law {law.name!r} must give a number for each run, that depends on its arguments; for two "
            f"runs it gives {shown(result.tolist())}."
        )


def _check_map(law: Law, param: Param) -> None:
    """Refuse a map to the paper's constant that asks for an input or parameter which the law has not."""
    if param.paper is None:
        return
    anywhere = {i.symbol: 0.5 for i in law.inputs}
    try:
        param.paper.to_paper(0.5, {p.symbol: 0.5 for p in law.params}, anywhere)
    except KeyError as missing:
        raise InputError(
            f"Law {law.name!r}: the paper's {param.paper.symbol} of {param.symbol!r} follows from {missing}, "
            f"which is neither an input ({', '.join(anywhere)}) nor a parameter "
            f"({', '.join(p.symbol for p in law.params)})."
        ) from missing


def reference_values(law: Law, runs) -> dict[str, float]:
    """Reference value of each input: its centre over the runs, or another input's."""
    own = {i.symbol: _centre(i, runs) for i in law.inputs if i.centre in _CENTRES}
    return {i.symbol: own[i.symbol if i.centre in _CENTRES else i.centre] for i in law.inputs}


_CENTRES = (GEOMETRIC_MEAN, MEAN, NONE)


def _centre(item: Input, runs) -> float:
    if item.centre == NONE:
        return 1.0
    x = np.asarray(runs[item.column], dtype=float)
    return float(x.mean()) if item.centre == MEAN else float(math.exp(np.log(x).mean()))


def input_spans(law: Law, runs) -> dict[str, float]:
    """Standard deviation of each input's log over the runs (of itself, where it is shifted); 1 if constant."""
    spans = {i.symbol: float(np.std(i.log(np.asarray(runs[i.column], dtype=float)))) for i in law.inputs}
    return {symbol: span if span > 0 else 1.0 for symbol, span in spans.items()}
