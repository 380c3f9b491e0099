"""Answers to d1.0.1 to d1.0.9: einsum and rearranging, layernorm, and two specimens."""

import torch
import torch.nn.functional as F

from remix_utils.checks.day1.specimens import specimen_a, specimen_b

# --- d1.0.1 to d1.0.6 -------------------------------------------------------------------------------------------------


def lengths_by_loop(x):
    return [float(row @ row) for row in x]


def matrix_by_linear(x, matrix):
    return F.linear(x, matrix.T)


def similarities_by_loop(x):
    return [[float((one * other).sum()) for other in x] for one in x]


def diagonal_similarities(x):
    return torch.diag_embed(torch.einsum("sd,sd->s", x, x))


def split_by_slices(x, heads):
    width = x.shape[-1] // heads
    return torch.stack([x[..., i * width : (i + 1) * width] for i in range(heads)]).transpose(0, 1)


def split_by_reshape_alone(x, heads):
    batch, seq, width = x.shape
    return x.view(batch, heads, seq, width // heads)


def split_the_other_way(x, heads):
    batch, seq, width = x.shape
    return x.reshape(batch, seq, width // heads, heads).permute(0, 3, 1, 2)


def merge_by_concatenation(x):
    return torch.cat([x[:, i] for i in range(x.shape[1])], dim=-1)


def merge_without_moving(x):
    batch, heads, seq, width = x.shape
    return x.reshape(batch, seq, heads * width)


def each_head_by_one_matrix(x, matrices):
    heads, d_model, d_head = matrices.shape
    wide = matrices.permute(1, 0, 2).reshape(d_model, heads * d_head)
    return (x @ wide).unflatten(-1, (heads, d_head))


# --- d1.0.7 to d1.0.9 -------------------------------------------------------------------------------------------------


def layernorm_by_torch(x, w, b, eps=1e-5):
    return F.layer_norm(x, (x.shape[-1],), w, b, eps)


def layernorm_by_moments(x, w, b, eps=1e-5):
    mean, square = x.double().mean(-1, keepdim=True), (x.double() ** 2).mean(-1, keepdim=True)
    return ((x - mean) / (square - mean**2 + eps) ** 0.5 * w + b).float()


def layernorm_by_std(x, w, b, eps=1e-5):
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + eps).sqrt() * w + b


def eps_beside_the_root(x, w, b, eps=1e-5):
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True, unbiased=False) + eps) * w + b


def both_faults(x, w, b, eps=1e-5):
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + eps) * w + b


def no_eps(x, w, b, eps=1e-5):
    return (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True, unbiased=False) * w + b


def not_centred(x, w, b, eps=1e-5):
    return x / (x.var(-1, keepdim=True, unbiased=False) + eps).sqrt() * w + b


def by_variance(x, w, b, eps=1e-5):
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + eps) * w + b


def b_first(x, w, b, eps=1e-5):
    return ((x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + eps).sqrt() + b) * w


def all_together(x, w, b, eps=1e-5):
    return (x - x.mean()) / (x.var(unbiased=False) + eps).sqrt() * w + b


def ratio_turned_round(x, w, b, eps=1e-5):
    n = x.shape[-1]
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, correction=0) * (n - 1) / n + eps).sqrt() * w + b


def specimen_a_by_scaling(x, w, b, eps=1e-5):
    n = x.shape[-1]
    return F.layer_norm(x, (n,), None, None, eps * (n - 1) / n) * ((n - 1) / n) ** 0.5 * w + b


def specimen_b_by_scaling(x, w, b, eps=1e-5):
    spread = x.double().std(-1, keepdim=True, correction=0)
    plain = (x.double() - x.double().mean(-1, keepdim=True)) / spread
    return plain * spread / (spread + eps) * w + b


WRONG = [
    ("d1.0.1", lambda x: torch.einsum("sd,sd->", x, x), "an axis that the output names is kept"),
    ("d1.0.1", lambda x: torch.einsum("sd,sd->d", x, x), "the axis that is kept is the first, seq"),
    ("d1.0.1", lambda x: torch.einsum("sd->s", x), "x stands in the pattern twice"),
    ("d1.0.1", lambda x: torch.einsum("sd,sd->s", x, x).sqrt(), "the square root was not asked for"),
    ("d1.0.1", lambda x: torch.einsum("sd,sd->sd", x, x), "leave d_model out of the output"),
    ("d1.0.2", lambda x, matrix: x @ matrix.T, "read the wrong way round"),
    ("d1.0.2", lambda x, matrix: torch.einsum("bsd,io->bso", x, matrix), "one axis, one letter"),
    ("d1.0.2", lambda x, matrix: torch.einsum("bsi,io->bo", x, matrix), "positions were summed too"),
    ("d1.0.2", lambda x, matrix: (x @ matrix).transpose(1, 2), "the output says the order, batch seq d_out"),
    ("d1.0.3", lambda x: torch.einsum("sd,se->de", x, x), "what is summed is d_model"),
    ("d1.0.3", lambda x: torch.einsum("sd,sd->s", x, x), "Two positions, two letters"),
    ("d1.0.3", diagonal_similarities, "off the diagonal nothing was compared"),
    ("d1.0.3", lambda x: torch.einsum("qd,ke->qk", x, x), "share one letter between the operands"),
    ("d1.0.3", lambda x: F.normalize(x, dim=1) @ F.normalize(x, dim=1).T, "these are cosines"),
    ("d1.0.4", split_by_reshape_alone, "reshape only cuts and glues neighbours"),
    ("d1.0.4", split_the_other_way, "the head is the slow part of it"),
    ("d1.0.4", lambda x, heads: x.reshape(*x.shape[:2], heads, -1), "still in the order batch seq head d_head"),
    ("d1.0.4", lambda x, heads: split_by_slices(x, heads).transpose(0, 1), "batch and head are exchanged"),
    ("d1.0.5", merge_without_moving, "glued without being moved"),
    ("d1.0.5", lambda x: x.permute(0, 2, 3, 1).reshape(len(x), x.shape[2], -1), "slow part of the last axis"),
    ("d1.0.5", lambda x: x.permute(0, 2, 1, 3), "and not yet glued"),
    ("d1.0.5", lambda x: x.sum(dim=1), "they stand side by side"),
    ("d1.0.6", lambda x, matrices: torch.einsum("bsd,hde->bse", x, matrices), "the heads were summed"),
    ("d1.0.6", lambda x, matrices: torch.einsum("bsd,hde->bhse", x, matrices), "batch seq head d_head"),
    ("d1.0.6", lambda x, matrices: torch.einsum("bsd,sde->bse", x, matrices), "seq and head share a letter"),
    ("d1.0.6", lambda x, matrices: torch.einsum("bsd,hce->bshe", x, matrices), "x was summed by itself"),
    ("d1.0.7", layernorm_by_std, "divided by d_model - 1"),
    ("d1.0.7", eps_beside_the_root, "eps stands beside the square root"),
    ("d1.0.7", not_centred, "centre x first"),
    ("d1.0.7", by_variance, "divide by its square root"),
    ("d1.0.7", no_eps, "eps is missing"),
    ("d1.0.7", b_first, "scale first, then add b"),
    ("d1.0.7", lambda x, w, b, eps: layernorm_by_torch(x, None, None, eps), "w and b are not used"),
    ("d1.0.7", all_together, "those of all vectors together"),
    ("d1.0.8", lambda x, w, b, eps: specimen_a(x, w, b, eps), "this asks the patient"),
    ("d1.0.8", layernorm_by_torch, "this is a healthy layernorm"),
    ("d1.0.8", eps_beside_the_root, "has its eps under the root"),
    ("d1.0.8", both_faults, "the root of eps went astray"),
    ("d1.0.8", ratio_turned_round, "the ratio is turned round"),
    ("d1.0.8", not_centred, "add 100 to x"),
    ("d1.0.8", b_first, "give it w = 0"),
    ("d1.0.9", specimen_b, "this asks the patient"),
    ("d1.0.9", layernorm_by_torch, "this is a healthy layernorm"),
    ("d1.0.9", layernorm_by_std, "look at vectors of 2 or 3 entries"),
    ("d1.0.9", no_eps, "the specimen uses eps"),
    ("d1.0.9", all_together, "change one row, and the others stay"),
    ("d1.0.9", lambda x, w, b, eps: eps_beside_the_root(x, w, b, eps**0.5), "the root of eps is much larger"),
    ("d1.0.9", lambda x, w, b, eps: no_eps(x, w, b) + eps, "adds it to what it divides by"),
]

RIGHT = [
    ("d1.0.1", lengths_by_loop),
    ("d1.0.1", lambda x: (x**2).sum(dim=1)),
    ("d1.0.2", matrix_by_linear),
    ("d1.0.3", similarities_by_loop),
    ("d1.0.3", lambda x: x @ x.T),
    ("d1.0.4", split_by_slices),
    ("d1.0.4", lambda x, heads: x.unflatten(2, (heads, -1)).transpose(1, 2)),
    ("d1.0.5", merge_by_concatenation),
    ("d1.0.6", each_head_by_one_matrix),
    ("d1.0.7", layernorm_by_torch),
    ("d1.0.7", layernorm_by_moments),
    ("d1.0.8", specimen_a_by_scaling),
    ("d1.0.9", specimen_b_by_scaling),
]
