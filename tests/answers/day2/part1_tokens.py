"""Answers to d2.1.9 to d2.1.12 and the quiz: where there is something to copy."""

from collections import Counter

import torch

# --- d2.1.9 -----------------------------------------------------------------------------------------------------------


def by_comparing(tokens):
    """All pairs of places at once."""
    same = (tokens[:, :, None] == tokens[:, None]).tril(-1)
    last = (same * torch.arange(1, tokens.shape[1] + 1)).amax(-1)  # 0 where there is none
    followed = tokens.gather(1, last.clamp(max=tokens.shape[1] - 1))
    return torch.where(last > 0, followed, -1)


def searching(choose=lambda places: places[-1], give=lambda words, place: words[place + 1], none=-1):
    """Lists of earlier places, one for each place."""

    def guess(tokens):
        rows = []
        for words in tokens.tolist():
            earlier = [[p for p in range(place) if words[p] == token] for place, token in enumerate(words)]
            rows.append([give(words, choose(places)) if places else none for places in earlier])
        return rows

    return guess


def noted_first(tokens):
    guesses, rows = torch.full_like(tokens, -1), tokens.tolist()
    for row, words in enumerate(rows):
        followed = {}
        for place, token in enumerate(words):
            if place + 1 < len(words):
                followed[token] = words[place + 1]
            guesses[row, place] = followed.get(token, -1)
    return guesses


def one_memory(tokens):
    guesses, followed = torch.full_like(tokens, -1), {}
    for row, words in enumerate(tokens.tolist()):
        for place, token in enumerate(words):
            guesses[row, place] = followed.get(token, -1)
            if place + 1 < len(words):
                followed[token] = words[place + 1]
    return guesses


def no_last(tokens):
    guesses = by_comparing(tokens)
    guesses[:, -1] = -1
    return guesses


def one_late(tokens):
    return torch.cat([torch.full_like(tokens[:, :1], -1), by_comparing(tokens)[:, :-1]], 1)


# --- d2.1.10 ----------------------------------------------------------------------------------------------------------


def counting(keep=lambda asked, held, least: asked >= least and held / asked >= 0.5, of="read", columns=-1):
    """With counters; `of` says by which token the places are counted."""

    def candidates(tokens, guesses, least):
        asked, held = Counter(), Counter()
        for words, guessed in zip(tokens.tolist(), guesses.tolist(), strict=True):
            for place in range(len(words) if columns is None else len(words) - 1):
                coming = words[place + 1] if place + 1 < len(words) else None
                token = {"read": words[place], "guessed": guessed[place]}[of]
                asked[token] += guessed[place] >= 0
                held[token] += guessed[place] >= 0 and guessed[place] == coming
        return sorted(token for token in asked if asked[token] and keep(asked[token], held[token], least))

    return candidates


def by_tokens(tokens, guesses, least):
    """One token after another, as a tensor."""
    now, coming, guessed = tokens[:, :-1], tokens[:, 1:], guesses[:, :-1]
    kept = []
    for token in now.unique():
        where = (now == token) & (guessed != -1)
        if where.sum() >= least and (guessed == coming)[where].float().mean() >= 0.5:
            kept.append(token)
    return torch.stack(kept)


def of_all_places(tokens, guesses, least):
    stands = Counter(tokens[:, :-1].flatten().tolist())
    keep = lambda token: token in counting(lambda *counts: True)(tokens, guesses, least)
    now, right = tokens[:, :-1], guesses[:, :-1] == tokens[:, 1:]
    held, asked = Counter(now[right].tolist()), Counter(now[guesses[:, :-1] >= 0].tolist())
    return sorted(t for t in asked if keep(t) and asked[t] >= least and held[t] >= stands[t] / 2)


# --- d2.1.11 ----------------------------------------------------------------------------------------------------------

WORDS = list(range(100, 140))
WORDS[10:12] = WORDS[30:32] = 7, 8  # A B at 10 and at 30
WORDS[20:22] = 7, 9  # another way to go on
PASSAGE = torch.tensor(WORDS)


def opportunity(query, key, tokens=PASSAGE):
    return {"tokens": tokens, "query": query, "key": key}


# --- d2.1.12 ----------------------------------------------------------------------------------------------------------


def by_list(pieces):
    twins = []
    for piece in pieces:
        bare = piece[1:] if piece.startswith(" ") else piece
        other = bare if piece.startswith(" ") else " " + bare
        twins.append(pieces.index(other) if bare.isalpha() and other in pieces else -1)
    return twins


def changed(twin=lambda piece: piece[1:] if piece.startswith(" ") else " " + piece, letters=True, none=-1):
    def twins(pieces):
        number = {piece: token for token, piece in enumerate(pieces)}
        fits = [not letters or piece.removeprefix(" ").isalpha() for piece in pieces]
        return [number.get(twin(piece), none) if fit else none for piece, fit in zip(pieces, fits, strict=True)]

    return twins


def letters_before_space(pieces):
    return [twin if piece.isalpha() else -1 for piece, twin in zip(pieces, by_list(pieces), strict=True)]


def as_pieces(pieces):
    return [pieces[twin] if twin >= 0 else -1 for twin in by_list(pieces)]


RECALL = {"offset": 49, "entry": 21, "positions": "values", "guessing": 6.93, "second": "copying"}

WRONG = [
    ("d2.1.9", searching(choose=lambda places: places[0]), "the *first* occurrence"),
    ("d2.1.9", searching(give=lambda words, place: words[place]), "the earlier token itself"),
    ("d2.1.9", searching(give=lambda words, place: place), "the place of the earlier occurrence"),
    ("d2.1.9", searching(give=lambda words, place: words[place - 1]), "what stood *before*"),
    ("d2.1.9", noted_first, "the token that really comes next"),
    ("d2.1.9", one_memory, "rows know of each other"),
    ("d2.1.9", searching(none=0), "0 is a token: say -1"),
    ("d2.1.9", no_last, "the last position has no guess"),
    ("d2.1.9", one_late, "one place late"),
    ("d2.1.10", counting(columns=None), "the last position of a row is counted"),
    ("d2.1.10", counting(of="guessed"), "the tokens that were guessed"),
    ("d2.1.10", counting(lambda asked, held, least: held / asked >= 0.5), "one lucky guess"),
    (
        "d2.1.10",
        counting(lambda asked, held, least: held >= least and held / asked >= 0.5),
        "is asked of the right guesses",
    ),
    ("d2.1.10", counting(lambda asked, held, least: asked >= least), "whether the guess is right is not asked"),
    ("d2.1.10", of_all_places, "of all places where the token stands"),
    ("d2.1.10", counting(lambda asked, held, least: asked > least and held / asked >= 0.5), "exactly `least` guesses"),
    ("d2.1.10", counting(lambda asked, held, least: asked >= least and held / asked > 0.5), "half of them is enough"),
    ("d2.1.11", opportunity(30, 10), "the same token as the query"),
    ("d2.1.11", opportunity(31, 11), "the same token as the query"),
    ("d2.1.11", opportunity(30, 12), "the token before the key is not that of the query"),
    ("d2.1.11", opportunity(10, 31), "the key comes after the query"),
    ("d2.1.11", opportunity(20, 11), "goes on in another way"),
    ("d2.1.11", opportunity(30, 40), "must be positions of the passage"),
    ("d2.1.11", opportunity(30, 8.5), "is no position"),
    ("d2.1.11", opportunity(..., ...), "find a query and a key"),
    ("d2.1.11", opportunity(2, 1, torch.ones(40, dtype=torch.long)), "this is not the passage"),
    ("d2.1.11", (30, 11), "expected {"),
    ("d2.1.12", changed(lambda piece: " " + piece), "only spaces are put on"),
    ("d2.1.12", changed(lambda piece: piece[1:] if piece[:1] == " " else "?"), "only spaces are taken off"),
    ("d2.1.12", changed(letters=False), "signs and digits are twins, too"),
    ("d2.1.12", changed(lambda piece: piece), "a token is its own twin"),
    ("d2.1.12", changed(none=0), "0 is a token: say -1"),
    ("d2.1.12", letters_before_space, "counts as no letters"),
    ("d2.1.12", as_pieces, "give the numbers of the tokens"),
    ("d2.1.quiz", RECALL | {"offset": 50}, "the same token is 50 back"),
    ("d2.1.quiz", RECALL | {"entry": 20}, "the token that comes next"),
    ("d2.1.quiz", RECALL | {"positions": "keys"}, "What may they not reach?"),
    ("d2.1.quiz", RECALL | {"guessing": 10}, "the natural logarithm of 1,024"),
    ("d2.1.quiz", RECALL | {"second": "prefix matching"}, "what the head adds to the logits"),
]

RIGHT = [
    ("d2.1.9", by_comparing),
    ("d2.1.9", searching()),
    ("d2.1.10", counting()),
    ("d2.1.10", by_tokens),
    ("d2.1.11", opportunity(30, 11)),
    ("d2.1.11", opportunity(torch.tensor(30), [11], WORDS)),
    ("d2.1.12", by_list),
    ("d2.1.12", lambda pieces: torch.tensor(changed()(pieces))),
    ("d2.1.quiz", RECALL | {"positions": "V", "second": "The copying score", "entry": "21"}),
]
