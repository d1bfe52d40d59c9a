#!/usr/bin/env python3
"""Writes vectors.json beside this script: what scipy, numpy and diptest make of the inputs that StatisticsTests feeds
to this project's statistics. Needs: pip install numpy scipy diptest
"""
import itertools
import json
import pathlib

import diptest
import numpy as np
from scipy import stats

rng = np.random.default_rng(20260131)


def rounded(values):
    return [round(float(v), 6) for v in values]


def median_intervals():
    """Coverage of the interval between the k-th values from either end, k the largest that keeps the confidence."""
    rows = []
    for confidence in (0.9, 0.95, 0.99):
        for n in list(range(1, 31)) + [50, 100, 1000, 5000]:
            ranks = [k for k in range(1, (n + 1) // 2 + 1) if 2 * stats.binom.cdf(k - 1, n, 0.5) <= 1 - confidence]
            k = max(ranks, default=0)
            rows.append({"n": n, "confidence": confidence, "rank": k,
                         "coverage": 1 - 2 * stats.binom.cdf(k - 1, n, 0.5) if k else 0})
    return rows


def sign_tests():
    rows = []
    for n, bound in [(1, 0), (6, 0), (10, 0.5), (20, -0.5), (200, 0.1)]:
        values = rounded(rng.normal(bound, 1, n))
        beyond = sum(v < bound if bound < 0 else v > bound for v in values)
        p = min(1, 2 * stats.binomtest(beyond, n, alternative="greater").pvalue)
        rows.append({"values": values, "bound": bound, "p": p})
    rows.append({"values": [0.0] * 8, "bound": 0, "p": 1})
    return rows


def exact_null(m, n):
    """P(U <= u) by listing every arrangement of the ranks."""
    counts = np.zeros(m * n + 1)
    for ranks in itertools.combinations(range(m + n), m):
        counts[sum(ranks) - m * (m - 1) // 2] += 1
    return np.cumsum(counts) / counts.sum()


def hodges_lehmann():
    rows = []
    samples = [(rounded(rng.normal(0, 1, m)), rounded(rng.normal(d, 1, n)))
               for m, n, d in [(1, 1, 0), (3, 3, 1), (4, 4, 3), (5, 7, 0.5), (8, 8, -1)]]
    samples.append(([1, 1, 2, 2, 3], [2, 2, 3, 3, 3, 4]))
    samples.append(([0, 0, 0, 0], [0, 0, 0, 0, 0]))
    for base, new in samples:
        m, n = len(base), len(new)
        differences = sorted(y - x for x in base for y in new)
        cdf = exact_null(m, n)
        ranks = [k for k in range(1, m * n // 2 + 1) if cdf[k - 1] <= 0.025]
        k = max(ranks, default=0)
        row = {"base": base, "new": new, "estimate": float(np.median(differences)), "rank": k}
        if k:
            row |= {"lower": differences[k - 1], "upper": differences[m * n - k], "coverage": 1 - 2 * cdf[k - 1]}
        rows.append(row)
    return rows


def large_samples():
    """Beyond the exact range: the differences at the ranks that the tie-corrected normal distribution gives."""
    rows = []
    for m, n, digits in [(40, 45, 6), (60, 30, 1), (100, 100, 0)]:
        base = [round(float(v), digits) for v in rng.normal(0, 2, m)]
        new = [round(float(v), digits) for v in rng.normal(0.7, 2, n)]
        differences = np.sort(np.subtract.outer(new, base).ravel())
        greater = stats.mannwhitneyu(new, base, alternative="greater", method="asymptotic")
        less = stats.mannwhitneyu(new, base, alternative="less", method="asymptotic")
        rows.append({"base": base, "new": new, "estimate": float(np.median(differences)),
                     "u": float(greater.statistic), "pGreater": float(greater.pvalue), "pLess": float(less.pvalue)})
    return rows


def exact_tails():
    """scipy's exact P(U <= u), got from its one-sided test of samples that have the statistic u."""
    rows = []
    for m, n in [(3, 4), (6, 6), (10, 10), (20, 20), (12, 30)]:
        for u in sorted({0, 1, m * n // 10, m * n // 4, m * n // 2, m * n}):
            # x holds m values, each above a chosen number of the n values 0, 1, …
            above = [min(n, max(0, u - i * n)) for i in range(m)]
            x = [a - 0.5 + 1e-6 * i for i, a in enumerate(above)]
            result = stats.mannwhitneyu(x, list(range(n)), alternative="less", method="exact")
            assert result.statistic == u
            rows.append({"m": m, "n": n, "u": u, "p": float(result.pvalue)})
    return rows


def trends():
    rows = []
    for values in [rounded(rng.normal(0, 1, 12)), rounded(np.arange(20) + rng.normal(0, 3, 20)),
                   [1, 2, 2, 3, 3, 3, 4, 5, 4, 6], [3, 3, 3, 3, 3, 3, 3, 4]]:
        tau = stats.kendalltau(range(len(values)), values, method="asymptotic")
        rows.append({"values": values, "p": float(tau.pvalue)})
    return rows


def energies():
    rows = []
    for values in [rounded(np.concatenate([rng.normal(0, 1, 12), rng.normal(3, 1, 9)])), rounded(rng.normal(0, 1, 15))]:
        best = None
        for split in range(3, len(values) - 2):
            a, b = np.array(values[:split]), np.array(values[split:])
            m, n = len(a), len(b)

            def mean(x, y, pairs):
                return np.abs(np.subtract.outer(x, y)).sum() / pairs
            q = m * n / (m + n) * (2 * mean(a, b, m * n) - mean(a, a, m * (m - 1)) - mean(b, b, n * (n - 1)))
            if best is None or q > best[1]:
                best = (split, float(q))
        rows.append({"values": values, "index": best[0], "q": best[1]})
    return rows


def dips():
    samples = [rng.normal(0, 1, n) for n in (4, 5, 9, 20, 63, 200)]
    samples += [np.concatenate([rng.normal(0, 1, n), rng.normal(6, 1, n)]) for n in (4, 10, 50)]
    samples += [rng.uniform(0, 1, 30), rng.exponential(1, 40), np.arange(10), np.round(rng.normal(0, 2, 60)),
                [1, 1, 1, 2, 2, 2], [0, 0, 0, 0, 1], [5, 5, 5, 5]]
    # The dip of any finite sample is at least 1/(2n); allow_zero would report 0 instead.
    return [{"values": (values := rounded(sample)), "dip": float(diptest.dipstat(np.array(sorted(values)), allow_zero=False))}
            for sample in samples]


def splitmix64(seed, count):
    mask, numbers = (1 << 64) - 1, []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        numbers.append(str(z ^ (z >> 31)))
    return numbers


vectors = {
    "medianIntervals": median_intervals(), "signTests": sign_tests(), "hodgesLehmann": hodges_lehmann(),
    "largeSamples": large_samples(), "exactTails": exact_tails(), "trends": trends(), "energies": energies(),
    "dips": dips(), "splitMix64": splitmix64(1234567, 5),
}
path = pathlib.Path(__file__).with_name("vectors.json")
lines = ",\n".join(f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]"
                   for key, rows in vectors.items())
path.write_text("{\n" + lines + "\n}\n")
