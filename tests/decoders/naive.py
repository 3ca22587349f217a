"""The decoders' rules as plain loops over one video: what the arrays must equal."""

from __future__ import annotations

import numpy as np


def best_span(relevance, threshold):
    """(start, end) of the span with the largest sum of relevance - threshold; None if no sum is above 0."""
    found, best = None, 0.0
    for end in range(1, len(relevance) + 1):
        for start in range(end - 1, -1, -1):  # the shortest first
            total = sum(float(r) - threshold for r in relevance[start:end])
            if total > best + 1e-12:
                found, best = (start, end), total
    return found


def agreement(audio, visual, tau_audio, tau_visual, of_video=True):
    """Ids (t) and the video's category of one video; audio and visual are lists of t lists of n scores."""
    n, named = len(audio[0]), []
    for heard, seen in zip(audio, visual, strict=True):
        best = []
        for scores, tau in ((heard, tau_audio), (seen, tau_visual)):
            left = [c for c in range(n) if scores[c] >= tau]
            best.append(max(left, key=lambda c: scores[c]) if left else None)
        named.append(best[0] if best[0] is not None and best[0] == best[1] else None)
    means = [sum((a[c] * v[c]) ** 0.5 for a, v in zip(audio, visual, strict=True)) / len(audio) for c in range(n)]
    votes = [sum(k == c for k in named) for c in range(n)]
    video = max(range(n), key=lambda c: (votes[c], means[c]))
    return [n if k is None else video if of_video else k for k in named], video


def shifted(audio, visual, alpha, keep, gamma):
    """Fused, filtered and shifted scores (t n) of one video."""
    t, n = len(audio), len(audio[0])
    fused = [[alpha * audio[i][c] + (1 - alpha) * visual[i][c] for c in range(n)] for i in range(t)]
    peak = [max(row[c] for row in fused) for c in range(n)]
    kept = [[row[c] if peak[c] >= keep * max(peak) else 0.0 for c in range(n)] for row in fused]
    q = [[x / sum(row) if sum(row) > 0 else 0.0 for x in row] for row in kept]
    out = [list(kept[0])]
    for i in range(1, t):
        confusion = np.zeros((n, n))
        for j in range(1, i + 1):
            for a in range(n):
                for b in range(n):
                    confusion[a, b] += q[j - 1][a] * q[j][b] / i
        # min ||C w - q||^2 + gamma ||w - 1||^2 as one least-squares problem
        rows = np.concatenate([confusion, np.sqrt(gamma) * np.eye(n)])
        wanted = np.concatenate([q[i], np.sqrt(gamma) * np.ones(n)])
        weights = np.linalg.lstsq(rows, wanted, rcond=None)[0]
        out.append([min(1.0, max(0.0, weights[c]) * kept[i][c]) for c in range(n)])
    return [[min(1.0, x) for x in row] for row in out]


def shared(audio, visual, guidance, none, rounds):
    """Joint shares (t n) of one video under competition."""
    t, n = len(audio), len(audio[0])

    def shares(evidence, guide):
        rows = [[evidence[i][c] * guide[c] for c in range(n)] for i in range(t)]
        return [[x / (none + sum(row)) for x in row] for row in rows]

    def guide(other):
        mean = [sum(row[c] for row in other) / t for c in range(n)]
        return [1 - guidance + guidance * n * m / sum(mean) for m in mean]

    a, v = shares(audio, [1.0] * n), shares(visual, [1.0] * n)
    for _ in range(rounds):
        a, v = shares(audio, guide(v)), shares(visual, guide(a))
    return [[(x * y) ** 0.5 for x, y in zip(one, two, strict=True)] for one, two in zip(a, v, strict=True)]
