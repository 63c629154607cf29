// The live part of the page: reads a budget or a level, asks the calculator, writes the answer.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const calculator = makeCalculator(data, LAWS);
  const at = (id) => document.getElementById(id);
  const slider = at("budget"), number = at("budget-number"), target = at("target"), group = at("group");
  let waiting = 0;

  // As bayescale.numerals.short_number: 41.3B, 1.4T, 3e21; three digits.
  function short(x) {
    if (x === Infinity) return "never";
    if (!Number.isFinite(x) || x === 0) return String(x);
    const rounded = Number(x.toPrecision(3));
    if (Math.abs(rounded) >= 1e15) return rounded.toExponential().replace("e+", "e");
    for (const [unit, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
      if (Math.abs(rounded) >= unit) return Number((rounded / unit).toPrecision(3)) + letter;
    }
    return rounded < 1e-4 ? rounded.toExponential() : String(rounded);
  }

  const plain = (x) => x === Infinity ? "never" : String(Number(x.toPrecision(4)));

  function read(text) {
    const found = /^\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([kMBT]?)\s*$/i.exec(text);
    const units = { "": 1, K: 1e3, M: 1e6, B: 1e9, T: 1e12 };
    return found ? Number(found[1]) * units[found[2].toUpperCase()] : NaN;
  }

  function write(row, decision, values, as) {
    const cells = at(row).querySelectorAll("td");
    [decision, ...values].forEach((x, k) => {
      cells[k].textContent = x === null ? "" : as(x);
      if (x !== null) cells[k].dataset.value = x;
    });
  }

  function split(C) {
    const found = calculator.allocate(group ? group.value : "", C);
    if (found === null) {
      at("said").textContent = "This budget does not buy the smallest run.";
      return;
    }
    const ratio = found.D_bayes / found.N_bayes;
    write("row-N", found.N_bayes, found.N, short);
    write("row-D", found.D_bayes, found.D, short);
    write("row-ratio", ratio, found.tokens_per_parameter, short);
    write("row-L", null, found.L_bayes, plain);
    write("row-basin", null, [null, found.N_low, found.N_high], short);
    const [median, low, high] = found.L_bayes.map(plain), far = found.beyond;
    at("said").textContent = `${short(C)} FLOP: N = ${short(found.N_bayes)}, D = ${short(found.D_bayes)} ` +
      `(${short(ratio)} tokens per parameter); the law gives ${data.output.symbol} ${median} (${low} to ${high}).` +
      (far > 1 ? ` That is ${short(far)} times beyond the runs.` : "");
  }

  // Not at each pixel of a drag: when the hand rests for a moment.
  function soon(work) {
    clearTimeout(waiting);
    waiting = setTimeout(work, 40);
  }

  function showBudget(C) {
    number.value = short(C);
    slider.setAttribute("aria-valuetext", short(C) + " FLOP");
    soon(() => split(C));
  }

  function reach() {
    const level = read(target.value);
    if (!Number.isFinite(level)) {
      at("reached").textContent = `Give a number, such as ${plain(calculator.allocate(group ? group.value : "", 10 ** Number(slider.value)).L_bayes[0])}.`;
      return;
    }
    at("reached").textContent = "Computing …";
    setTimeout(() => {
      const found = calculator.reach(group ? group.value : "", level);
      const [median, low, high] = found.C.map(short);
      const enough = found.C_bayes === Infinity ? "no budget is expected to be enough" :
        `${short(found.C_bayes)} FLOP are expected to be enough, N = ${short(found.N_bayes)}, D = ${short(found.D_bayes)}`;
      at("reached").textContent = `${data.output.symbol} = ${plain(level)}: ${enough}. The least budget is ${median} FLOP ` +
        `(${low} to ${high}); with probability ${Number(found.never.toPrecision(2))} none is enough.`;
      for (const [name, x] of Object.entries(found)) at("reached").dataset[name] = x;
    }, 20);
  }

  slider.addEventListener("input", () => showBudget(10 ** Number(slider.value)));
  number.addEventListener("change", () => {
    const C = read(number.value);
    if (!(C > 0)) { at("said").textContent = "Give a budget, such as 1e24."; return; }
    slider.value = Math.log10(C);
    slider.setAttribute("aria-valuetext", short(C) + " FLOP");
    soon(() => split(C));
  });
  if (group) group.addEventListener("change", () => { showBudget(10 ** Number(slider.value)); at("reached").textContent = ""; });
  target.addEventListener("keydown", (event) => { if (event.key === "Enter") reach(); });
  at("ask").addEventListener("click", reach);
  slider.value = Math.log10(data.start);
  slider.setAttribute("aria-valuetext", short(data.start) + " FLOP");
  number.value = short(data.start);
  split(data.start);
})();
