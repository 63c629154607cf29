"use strict";
// The arithmetic of the live part: bayescale.allocate, from the draws that the page holds.
// It knows nothing of the page, so that it can be tested without one.

const POINTS = 48, STEPS = 26, FEW = 15, BISECTIONS = 60, GOLDEN = (Math.sqrt(5) - 1) / 2;
const HUGE = Math.log(1e30);

// Where a function is least between two ends: a grid finds the basin, a golden section narrows it down.
// Few steps find the least value to six digits, its place only to two.
function minimise(value, low, high, steps = STEPS) {
  const step = (high - low) / (POINTS - 1);
  let place = low, best = Infinity;
  for (let k = 0; k < POINTS; k++) {
    const found = value(low + k * step);
    if (found < best) { best = found; place = low + k * step; }
  }
  let a = Math.max(place - step, low), b = Math.min(place + step, high);
  let left = b - GOLDEN * (b - a), right = a + GOLDEN * (b - a);
  let atLeft = value(left), atRight = value(right);
  for (let k = 0; k < steps; k++) {
    if (atLeft < atRight) {
      b = right; right = left; atRight = atLeft;
      left = b - GOLDEN * (b - a); atLeft = value(left);
    } else {
      a = left; left = right; atLeft = atRight;
      right = a + GOLDEN * (b - a); atRight = value(right);
    }
  }
  return (a + b) / 2;
}

// Where a falling function crosses zero; minus infinity and infinity where it does so before or after the ends.
function crossing(value, low, high) {
  let a = low, b = high, atA = value(a), atB = value(b);
  if (!(atA > 0)) return -Infinity;
  if (!(atB <= 0)) return Infinity;
  for (let k = 0; k < BISECTIONS && b - a > 1e-7; k++) {
    // Alternately false position, which is fast, and the middle, which is sure.
    const part = k % 3 == 2 ? 0.5 : Math.min(Math.max(atA / (atA - atB), 1e-6), 1 - 1e-6);
    const tried = a + part * (b - a), found = value(tried);
    if (found > 0) { a = tried; atA = found; } else { b = tried; atB = found; }
  }
  return (a + b) / 2;
}

// The same, beginning near a guess.
function crossingNear(value, guess, low, high) {
  if (!(value(low) > 0)) return -Infinity;
  if (!(value(high) <= 0)) return Infinity;
  let a = Math.min(Math.max(guess, low), high), b = a;
  for (let step = 0.5; a > low && !(value(a) > 0); step *= 2) { b = a; a = Math.max(a - step, low); }
  for (let step = 0.5; b < high && !(value(b) <= 0); step *= 2) { a = b; b = Math.min(b + step, high); }
  return a < b ? crossing(value, a, b) : a;
}

// Median and interval as ArviZ and bayescale have them; draws may be infinite.
function interval(draws, kind, prob) {
  const x = Float64Array.from(draws).sort(), n = x.length;
  const finite = Number.isFinite(x[n - 1]) && Number.isFinite(x[0]);
  const quantile = (q) => {
    if (!finite) return x[Math.max(Math.ceil(n * q - 1), 0)];  // in this order, as NumPy rounds
    const at = q * (n - 1), k = Math.floor(at);
    return k + 1 < n ? x[k] + (at - k) * (x[k + 1] - x[k]) : x[k];
  };
  if (kind === "eti") return [quantile(0.5), quantile((1 - prob) / 2), quantile((1 + prob) / 2)];
  const inside = Math.min(Math.floor(prob * n), n - 1);
  let first = 0, width = Infinity;
  for (let k = 0; k + inside < n; k++) {
    const w = x[k] === x[k + inside] ? 0 : x[k + inside] - x[k];
    if (w < width) { width = w; first = k; }
  }
  if (!Number.isFinite(width)) first = n - inside - 1;
  return [quantile(0.5), x[first], x[first + inside]];
}

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

// data: what bayescale.reports.live writes. laws: a formula for each member, of relative inputs x and draw i of p.
function makeCalculator(data, laws) {
  const sign = data.output.higher ? -1 : 1;
  const opened = new Map();

  // The members with the draws of one group, opened once.
  function members(group) {
    if (!opened.has(group)) {
      opened.set(group, data.members.map((m, k) => {
        const all = floats(m.values[group] ?? m.values[""]), n = m.draws;
        const p = Array.from({ length: all.length / n }, (_, j) => all.subarray(j * n, (j + 1) * n));
        return { ...m, p, x: m.inputs.map(() => 1), law: laws[k], limits: m.limits[group] ?? m.limits[""] };
      }));
    }
    return opened.get(group);
  }

  // Inputs of a law at a size and a budget, relative to its reference; the array is used again.
  function inputs(m, N, C) {
    const D = C / (6 * N), x = m.x;
    for (let k = 0; k < x.length; k++) {
      const i = m.inputs[k], c = i.column;
      const value = i.given !== null ? i.given : c === "N" ? N : c === "D" ? D : c === "C" ? C : D / N;
      x[k] = value / i.reference;
    }
    return x;
  }

  function expected(all, N, C) {
    let total = 0;
    for (const m of all) {
      const x = inputs(m, N, C);
      let sum = 0;
      for (let i = 0; i < m.draws; i++) sum += m.law(x, m.p, i);
      total += m.weight * sum / m.draws;
    }
    return Number.isNaN(total) ? Infinity : sign * total;
  }

  const smallest = (data.least.N * data.least.D) * 6;
  const range = (C) => [Math.log(data.least.N), Math.log(C / (6 * data.least.D))];

  function decide(all, C, steps) {
    return minimise((u) => expected(all, Math.exp(u), C), ...range(C), steps);
  }

  // The best size for one draw; the response there.
  function own(m, i, C, steps) {
    const value = (u) => {
      const N = Math.exp(u), found = sign * m.law(inputs(m, N, C), m.p, i);
      return Number.isNaN(found) ? Infinity : found;
    };
    const u = minimise(value, ...range(C), steps);
    return [Math.exp(u), value(u)];
  }

  // Draws of an answer, member by member; of a stack those that the library picks.
  function each(all, question) {
    const found = [];
    all.forEach((m, k) => {
      const picked = data.picks ? data.picks[k] : null;
      const n = picked ? picked.length : m.draws;
      for (let j = 0; j < n; j++) found.push(question(m, picked ? picked[j] : j));
    });
    return found;
  }

  const reduce = (draws) => interval(draws, data.kind, data.prob);

  // How many times a run lies beyond the runs of its group, by the law that goes farthest.
  function beyond(all, N, D) {
    const known = { N: N, D: D, C: 6 * N * D, M: D / N };
    let worst = 1;
    for (const m of all) {
      for (const i of m.inputs) {
        if (i.given !== null) continue;
        const [low, high] = m.limits[i.column];
        worst = Math.max(worst, known[i.column] / high, low / known[i.column]);
      }
      worst = Math.max(worst, (m.size === "N D" ? N * D : known[m.size] ?? 0) / m.limits[""][1]);
    }
    return worst;
  }

  // Split a budget: bayescale.allocate(posterior, C=...).
  function allocate(group, C) {
    const all = members(group), [low, high] = range(C);
    if (!(C > smallest)) return null;
    const place = decide(all, C), N = Math.exp(place), best = expected(all, N, C);
    const slack = expected(all, Math.exp(decide(all, C * (1 - data.regret))), C * (1 - data.regret)) - best;
    const left = (u) => slack - (expected(all, Math.exp(u), C) - best);
    const up = crossing(left, place, high), down = crossing((u) => left(-u), -place, -low);
    const ends = (found, at, limit) => found === -Infinity ? at : found === Infinity ? limit : found;
    const split = each(all, (m, i) => own(m, i, C)[0]);
    const at = each(all, (m, i) => m.law(inputs(m, N, C), m.p, i));
    return {
      N_bayes: N, D_bayes: C / (6 * N), beyond: beyond(all, N, C / (6 * N)),
      N_low: Math.exp(-ends(down, -place, -low)), N_high: Math.exp(ends(up, place, high)),
      N: reduce(split), D: reduce(split.map((n) => C / (6 * n))),
      tokens_per_parameter: reduce(split.map((n) => C / (6 * n * n))), L_bayes: reduce(at),
    };
  }

  // The least budget for a level: bayescale.allocate(posterior, L=...).
  function reach(group, level) {
    const all = members(group), aim = sign * level;
    const low = Math.log(smallest * (1 + 1e-6)), high = 2 * HUGE + Math.log(6);
    const start = Math.log(10) * data.budgets[1];
    const missing = (c) => expected(all, Math.exp(decide(all, Math.exp(c), FEW)), Math.exp(c)) - aim;
    const place = crossingNear(missing, start, low, high), guess = Number.isFinite(place) ? place : start;
    const needed = each(all, (m, i) => {
      const c = crossingNear((c) => own(m, i, Math.exp(c), FEW)[1] - aim, guess, low, high);
      return c === -Infinity ? Math.exp(low) : Math.exp(c);
    });
    const never = needed.filter((c) => c === Infinity).length / needed.length;
    if (place === Infinity) return { C_bayes: Infinity, C: reduce(needed), never: never };
    const C = Math.exp(place === -Infinity ? low : place), N = Math.exp(decide(all, C));
    return { C_bayes: C, N_bayes: N, D_bayes: C / (6 * N), C: reduce(needed), never: never };
  }

  return { allocate: allocate, reach: reach };
}
