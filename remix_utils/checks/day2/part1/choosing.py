"""Where there is something to copy: d2.1.9 to d2.1.12."""

from __future__ import annotations

import torch

from remix_utils.checks.compare import plain
from remix_utils.checks.exercise import Mistake, Wrong, exercise

# --- d2.1.9 -----------------------------------------------------------------------------------------------------------


def _rows(seed):
    numbers = torch.Generator().manual_seed(seed)
    sizes = ((5, (3, 11)), (9, (2, 14)), (3, (1, 7)))
    return [(torch.randint(1, kinds, shape, generator=numbers),) for kinds, shape in sizes]


def _by_search(earlier=max, what=lambda words, found, place: words[found + 1], none=-1):
    """The guess at each place, from the earlier occurrences of its token."""

    def guesses(tokens):
        made = []
        for words in tokens.tolist():
            places = [[each for each in range(place) if words[each] == words[place]] for place in range(len(words))]
            made.append([what(words, earlier(found), place) if found else none for place, found in enumerate(places)])
        return made

    return guesses


_guess = _by_search()


def _future(tokens):
    """Where the token came before: what really comes next."""
    last = lambda words, found, place: words[place + 1] if place + 1 < len(words) else words[found + 1]
    return _by_search(what=last)(tokens)


def _shared(tokens):
    """What an earlier row has left is not forgotten."""
    followed, made = {}, []
    for words in tokens.tolist():
        made.append([])
        for place, token in enumerate(words):
            made[-1].append(followed.get(token, -1))
            if place + 1 < len(words):
                followed[token] = words[place + 1]
    return made


def _late(tokens):
    return [[-1, *row[:-1]] for row in _guess(tokens)]


def _no_last(tokens):
    return [[*row[:-1], -1] for row in _guess(tokens)]


def _told(tokens):
    """What follows is noted before the guess is made."""
    made = [
        [words[place + 1] if place + 1 < len(words) else None for place in range(len(words))]
        for words in tokens.tolist()
    ]
    return [[*row[:-1], last[-1]] for row, last in zip(made, _guess(tokens), strict=True)]


exercise(
    "d2.1.9",
    cases=_rows,
    oracle=_guess,
    mistakes=[
        Mistake("it is what followed the *first* occurrence: take the last one before this place.", _by_search(min)),
        Mistake("this is the earlier token itself: the guess is what followed it.",
                _by_search(what=lambda words, found, place: words[found])),
        Mistake("this is what stood *before* the earlier occurrence: the guess is what followed it.",
                _by_search(what=lambda words, found, place: words[found - 1])),
        Mistake("this is the place of the earlier occurrence: give the token that followed it.",
                _by_search(what=lambda words, found, place: found)),
        Mistake("this is the place that the guess is read from: give the token that stands there.",
                _by_search(what=lambda words, found, place: found + 1)),
        Mistake("it gives the token that really comes next: note what follows *this* place only after the guess.",
                _told),
        Mistake("it gives the token that really comes next, wherever there is a guess: read what followed the "
                "*earlier* occurrence.", _future),
        Mistake("rows know of each other: begin each row with an empty memory.", _shared),
        Mistake("where there is no earlier occurrence it says 0, and 0 is a token: say -1.", _by_search(none=0)),
        Mistake("guesses are one place late: the guess stands where the token is read, not where the next one is.",
                _late),
        Mistake("the last position has no guess: its token may have occurred before.", _no_last),
    ],
)  # fmt: skip


# --- d2.1.10 ----------------------------------------------------------------------------------------------------------


def _guessed(seed):
    """Tokens that lie on both sides of each bound, in rows that are shuffled: something, the token, what follows."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for least in (4, 7, 6):
        rows = [row for token, counts in enumerate(_bounds(least), 1) for row in _places(token, *counts)]
        tokens, guesses = torch.tensor(rows)[torch.randperm(len(rows), generator=numbers)].unbind(1)
        cases.append((tokens, guesses, least))
    return cases


def _bounds(least):
    """For each token: places with a guess, right ones among them, without a guess, and guesses at the end of a row."""
    half, even = (least + 1) // 2, least + least % 2
    return [
        (even, even // 2, 0, 0),
        (least, least, 0, 0),
        (least - 1, least - 1, 0, 3),
        (least, half, 0, least),
        (2 * least + 2, least, 0, 0),
        (least + 2, least + 1, 3 * least, 0),
        (1, 1, 0, 0),
        (least + 3, 1, 0, 0),
    ]


def _places(token, asked, held, unasked, last):
    right, wrong, none = [-1, 10, -1], [-1, 11, -1], [-1, -1, -1]
    row = [12, token, 10]
    return (
        [[row, right]] * held
        + [[row, wrong]] * (asked - held)
        + [[row, none]] * unasked
        + [[[12, 12, token], [-1, -1, 11]]] * last
    )


def _counted(tokens, guesses, skip_last=True, about=lambda words, guessed, place: words[place]):
    """For each token, at how many places there is a guess, and at how many it is right."""
    asked, held = {}, {}
    for words, guessed in zip(tokens.tolist(), guesses.tolist(), strict=True):
        for place in range(len(words) - skip_last):
            token = about(words, guessed, place)
            if guessed[place] >= 0:
                asked[token] = asked.get(token, 0) + 1
                if place + 1 < len(words) and guessed[place] == words[place + 1]:
                    held[token] = held.get(token, 0) + 1
    return asked, held


def _chosen(keep=lambda asked, held, least: asked >= least and 2 * held >= asked, **more):
    def candidates(tokens, guesses, least):
        asked, held = _counted(tokens, guesses, **more)
        return sorted(token for token in asked if keep(asked[token], held.get(token, 0), least))

    return candidates


def _of_all_places(tokens, guesses, least):
    """The share is taken of all places where the token stands."""
    stands = tokens[:, :-1].flatten().tolist()
    asked, held = _counted(tokens, guesses)
    return sorted(t for t in asked if asked[t] >= least and 2 * held.get(t, 0) >= stands.count(t))


exercise(
    "d2.1.10",
    cases=_guessed,
    oracle=_chosen(),
    mistakes=[
        Mistake("the last position of a row is counted: nothing follows it, so it can never be right.",
                _chosen(skip_last=False)),
        Mistake("these are the tokens that were guessed: ask after which token, the one that is read, it pays to look "
                "back.",
                _chosen(about=lambda words, guessed, place: guessed[place])),
        Mistake("these are the tokens that came: ask after which token (the one that is read) it pays to look back.",
                _chosen(about=lambda words, guessed, place: words[min(place + 1, len(words) - 1)])),
        Mistake("`least` is ignored: a token with one lucky guess is no candidate.",
                _chosen(lambda asked, held, least: 2 * held >= asked)),
        Mistake("`least` is asked of the right guesses: it is how many guesses there are, right or wrong.",
                _chosen(lambda asked, held, least: held >= least and 2 * held >= asked)),
        Mistake("whether the guess is right is not asked: these are all tokens with enough guesses.",
                _chosen(lambda asked, held, least: asked >= least)),
        Mistake("the half is taken of all places where the token stands: of those where there is a guess, please.",
                _of_all_places),
        Mistake("half of them, and exactly `least` guesses, are enough: a bound is included.",
                _chosen(lambda asked, held, least: asked > least and 2 * held > asked)),
        Mistake("half of them is enough: that bound is included.",
                _chosen(lambda asked, held, least: asked >= least and 2 * held > asked)),
        Mistake("exactly `least` guesses are enough: that bound is included.",
                _chosen(lambda asked, held, least: asked > least and 2 * held >= asked)),
    ],
)  # fmt: skip


# --- d2.1.11 ----------------------------------------------------------------------------------------------------------


def _whole_number(value, name):
    form = plain(value)
    number = form.item() if getattr(form, "size", 0) == 1 else None  # type: ignore[union-attr]
    if not isinstance(number, int):
        raise Wrong(f"{name!r} is no position: give a whole number, as the tokens are numbered.")
    return number


@exercise("d2.1.11")
def _(answer, seed, reference):
    """Any opportunity will do: A B ... A B, the query at the second A, the key at the first B."""
    if not isinstance(answer, dict) or set(answer) != {"tokens", "query", "key"}:
        raise Wrong('expected {"tokens": passage, "query": ..., "key": ...}.')
    if answer["query"] is ... or answer["key"] is ...:
        raise Wrong("not written yet: find a query and a key.")
    tokens = plain(answer["tokens"]).tolist()  # type: ignore[union-attr]
    query, key = (_whole_number(answer[name], name) for name in ("query", "key"))
    if len(tokens) < 32 or len(set(tokens)) < 10:
        raise Wrong("this is not the passage: hand in the tokens that were printed.")
    if not (0 <= query < len(tokens) - 1 and 0 <= key < len(tokens)):
        raise Wrong(
            f"query and key must be positions of the passage, the query with a token after it: 0 to {len(tokens) - 2}."
        )
    if key > query:
        raise Wrong("the key comes after the query, where no head can look: the query is at the *second* A.")
    if tokens[key] == tokens[query]:
        raise Wrong("the key holds the same token as the query: look at what *followed* it, one further on.")
    if key == 0 or tokens[key - 1] != tokens[query]:
        if key > 0 and tokens[key] == tokens[query + 1]:
            raise Wrong(
                "what follows is right, what stands before is not: the token before the key is not the query's."
            )
        if query > 0 and key > 0 and (tokens[query - 1], tokens[query]) == (tokens[key - 1], tokens[key]):
            raise Wrong("this is one place late: the head stands at A, and B is yet to come.")
        raise Wrong("the token before the key is not that of the query: A B ... A, the key is at the first B.")
    if tokens[key] != tokens[query + 1]:
        raise Wrong(
            "there is something to look back at, but the text goes on in another way: find an A with the same B."
        )


# --- d2.1.12 ----------------------------------------------------------------------------------------------------------


def _vocabularies(seed):
    """Pieces of text, shuffled: with twins, without, with other signs, with two spaces."""
    known = ["an", " an", "The", " The", "the", "x", " x", ",", " ,", "7", " 7", "it's", " it's", "ing", " of", "  a",
             " a", "a", " ", "", "\n", " ...", "...", "é", " é"]  # fmt: skip
    order = torch.randperm(len(known), generator=torch.Generator().manual_seed(seed)).tolist()
    return [([known[place] for place in order],), (["b", " b", " c", "d"],)]


def _twins(letters=str.isalpha, twin=lambda piece: piece[1:] if piece[:1] == " " else " " + piece, none=-1,
           same=lambda piece: piece):  # fmt: skip
    def spaced_twins(pieces):
        known = [same(piece) for piece in pieces]
        found = []
        for piece in known:
            fits = letters(piece[1:] if piece[:1] == " " else piece) and twin(piece) in known
            found.append(known.index(twin(piece)) if fits else none)
        return found

    return spaced_twins


def _no_space(pieces):
    return [twin if piece.isalpha() else -1 for piece, twin in zip(pieces, _twins()(pieces), strict=True)]


exercise(
    "d2.1.12",
    cases=_vocabularies,
    oracle=_twins(),
    mistakes=[
        Mistake("only spaces are put on: a token that has one in front has a twin without.",
                _twins(twin=lambda piece: " " + piece)),
        Mistake("only spaces are taken off: a token that has none has a twin with one.",
                _twins(twin=lambda piece: piece[1:] if piece[:1] == " " else "?")),
        Mistake("signs and digits are twins, too: only pieces of letters count.", _twins(letters=lambda piece: True)),
        Mistake("a piece with a space in front counts as no letters: take the space off before you ask.",
                _no_space),
        Mistake("a token is its own twin: put the space on, or take it off.", _twins(twin=lambda piece: piece)),
        Mistake("where there is no twin it says 0, and 0 is a token: say -1.", _twins(none=0)),
        Mistake("capitals count as the same letters: only the space may differ.", _twins(same=str.lower)),
        Mistake("these are the pieces: give the numbers of the tokens.",
                lambda pieces: [pieces[twin] if twin >= 0 else -1 for twin in _twins()(pieces)]),
    ],
)  # fmt: skip
