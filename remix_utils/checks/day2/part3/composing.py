"""Composition: scores of all pairs (d2.3.11), what chance gives (12), and the thin way (13)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged
from remix_utils.checks.day2.thin import within
from remix_utils.checks.exercise import Mistake, Wrong, equal, exercise

# --- d2.3.11 ----------------------------------------------------------------------------------------------------------


def heads(seed):
    """As many first heads as second ones, fewer and more; thin matrices, whose scores differ widely."""
    numbers = torch.Generator().manual_seed(seed)
    draw = lambda n: torch.randn(n, 7, 2, generator=numbers) @ torch.randn(n, 2, 7, generator=numbers)
    return [(draw(first), draw(second)) for first, second in ((3, 3), (2, 4), (4, 2))]


def size(matrices):
    return matrices.square().sum((-2, -1)).sqrt()


def _score(products=lambda W, R: W @ R, norm=size):
    def scores(writes, reads):
        return norm(products(writes[:, None], reads[None])) / (norm(writes)[:, None] * norm(reads))

    return scores


def _spectral(matrices):
    return torch.linalg.matrix_norm(matrices, 2)


exercise(
    "d2.3.11",
    cases=heads,
    oracle=_score(),
    tolerance=1e-4,
    mistakes=[
        Mistake("the matrices are multiplied the wrong way round: vectors are rows, so what is written is on the left.",
                _score(lambda W, R: R @ W)),
        Mistake("the norms of the products are not divided by those of the matrices.",
                lambda writes, reads: size(writes[:, None] @ reads[None])),
        Mistake("these are squares of the scores: a norm is a root.", lambda *case: _score()(*case).square()),
        Mistake("these are spectral norms, the largest singular values: take Frobenius norms.", _score(norm=_spectral)),
        Mistake("the matrices are multiplied entry by entry: W R is a matrix product.", _score(lambda W, R: W * R)),
        Mistake("first and second are exchanged in the result: [first, second].", lambda *case: _score()(*case).T),
        Mistake("the norms are those of all heads together: each pair has its own.",
                lambda W, R: size(W[:, None] @ R[None]) / (W.norm() * R.norm())),
        Mistake("R is transposed on the way: `reads` comes as it is needed.", _score(lambda W, R: W @ R.mT)),
        Mistake("each first head meets one second head only: all pairs are asked for.",
                lambda W, R: size(W @ R) / (size(W) * size(R))),
    ],
)  # fmt: skip

# --- d2.3.12 ----------------------------------------------------------------------------------------------------------

FEW, DRAWS = 6, 120


def _random(n, d_model, d_head, seed=0, draw=torch.randn, thin=True):
    numbers = torch.Generator().manual_seed(seed)
    shape = (4, n, d_model, d_head) if thin else (2, n, d_model, d_model)
    drawn = draw(shape, generator=numbers)
    W, R = (drawn[0] @ drawn[1].mT, drawn[2] @ drawn[3].mT) if thin else drawn
    return size(W @ R) / (size(W) * size(R))


def _same_draw(scores, theirs):
    return scores.shape == theirs.shape and torch.allclose(scores, theirs)


@exercise("d2.3.12")
def _(answer, seed, reference):
    state = torch.get_rng_state()
    few = [torch.as_tensor(answer(FEW, 16, 4, seed=each)) for each in (seed, seed, seed + 1)]
    if few[0].shape != (FEW,):
        raise Wrong(f"it gives {list(few[0].shape)} for n = {FEW}: one score a pair, [n].")
    if not _same_draw(few[0], few[1]):
        raise Wrong("with the same seed it gives other numbers the second time: use a generator with that seed.")
    if _same_draw(few[0], few[2]):
        raise Wrong("whatever the seed, it gives the same numbers.")
    _require_spread(torch.as_tensor(answer(DRAWS, 24, 3, seed=seed)), 24, 3, seed + 17)
    if not torch.equal(state, torch.get_rng_state()):
        raise Wrong("it seeds torch's global generator, on which other code rests: use torch.Generator().")
    if reference is not None:
        equal([list(reference(5, 8, 2).shape)], [list(torch.as_tensor(answer(5, 8, 2)).shape)], "the shape")


def _require_spread(scores, d_model, d_head, seed):
    """Mean and standard deviation are those of random thin heads, as far as so many draws can tell."""
    scores, right = scores.double(), _random(2000, d_model, d_head, seed).double()
    error = right.std() / DRAWS**0.5
    spread = (scores.std() / right.std()).item()
    if scores.std() < 1e-6 * right.std():
        raise Wrong(f"all {DRAWS} scores are equal: draw new matrices for each pair.")
    if scores.mean() > 2 * right.mean() and scores.max() <= 1:
        raise Wrong(
            f"the mean is {scores.mean():.3f}, far above 1/√{d_model}: weights that are all positive, as from "
            "torch.rand, point the same way. Use torch.randn."
        )
    if spread > 1.3:
        raise Wrong(
            f"the spread is {spread:.2f} times that of random heads: is the rank d_head, and "
            "are all four matrices drawn anew?"
        )
    if abs(scores.mean() - right.mean()) > 5 * error:
        raise Wrong(f"the mean is {scores.mean():.3f}, where random heads of width {d_model} score {right.mean():.3f}.")
    if spread < 0.75:
        full = _random(2000, d_model, d_head, seed, thin=False).double().std() / right.std()
        why = (
            ": these matrices have full rank, and a head's has rank d_head. Multiply two thin ones."
            if abs(spread - full) < 0.15
            else "."
        )
        raise Wrong(f"the mean is right, but the spread is only {spread:.2f} of that of random heads{why}")


# --- d2.3.13 ----------------------------------------------------------------------------------------------------------

WIDTH, RANK = 24, 3


def thin_heads(seed):
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for first, second in ((3, 2), (2, 3)):
        V, O = torch.randn(2, first, WIDTH, RANK, generator=numbers)
        R, S = torch.randn(2, second, WIDTH, RANK, generator=numbers) + 0.2
        cases.append((V, O.mT.contiguous(), R, S))
    return cases


def use_thin(function, V, O, R, S):
    return within(len(V) * len(R) * WIDTH * RANK - 1, function, V, O, R, S)


def gram(matrices):
    return matrices.mT @ matrices


def _thin(top=lambda VV, m, SS: ((VV[:, None] @ m @ SS) * m).sum((-2, -1)), bottom=None, root=True):
    def scores(V, O, R, S):
        middle = torch.einsum("ahd,bdk->abhk", O, R)
        VV, OO, RR, SS = gram(V), gram(O.mT), gram(R), gram(S)
        norms = ((VV * OO).sum((-2, -1))[:, None] * (RR * SS).sum((-2, -1))) if bottom is None else bottom(V, O, R, S)
        squares = top(VV, middle, SS) / norms
        return squares.sqrt() if root else squares

    return scores


def _of_factors(V, O, R, S):
    """As if the norm of a product were the product of the norms."""
    square = lambda each: each.square().sum((-2, -1))
    return (square(V) * square(O))[:, None] * (square(R) * square(S))


@exercise("d2.3.13")
def _(answer, seed, reference):
    mistakes = [
        ("these are the squares of the scores: take the root at the end.", _thin(root=False)),
        (
            "V and S are left out of the product: this is the norm of O R alone.",
            _thin(lambda VV, m, SS: (m * m).sum((-2, -1))),
        ),
        (
            "the product is right, but ‖V O‖ was taken for ‖V‖ ‖O‖, and ‖R Sᵀ‖ for ‖R‖ ‖S‖, which are larger.",
            _thin(bottom=_of_factors),
        ),
        ("the product is not divided by the norms of the two heads.", _thin(bottom=lambda *case: 1)),
        (
            "V's square is left out of the product: ‖V O R Sᵀ‖² = tr(VᵀV M SᵀS Mᵀ), with M = O R.",
            _thin(lambda VV, m, SS: ((m @ SS) * m).sum((-2, -1))),
        ),
        (
            "S's square is left out of the product: ‖V O R Sᵀ‖² = tr(VᵀV M SᵀS Mᵀ), with M = O R.",
            _thin(lambda VV, m, SS: ((VV[:, None] @ m) * m).sum((-2, -1))),
        ),
        ("first and second are exchanged in the result: [first, second].", lambda *case: _thin()(*case).T),
    ]
    cases = thin_heads(seed)
    judged(answer, seed, reference, use=use_thin, cases=cases, oracle=_thin(), mistakes=mistakes, tolerance=1e-4)
